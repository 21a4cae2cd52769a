"""A path to the database that can fail."""

import socket
import threading

# What new and open connections do.
WELL, FROZEN, CUT, MUTE, LOSSY = 'well', 'frozen', 'cut', 'mute', 'lossy'
# Of the same length, so that the message around it stays whole.
DURABLE, NOT_DURABLE = b"ELSE 'on' END", b"ELSE'off' END"


class Relay:
    """Forwards connections. Those that are open can be made silent: they accept bytes and answer nothing."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.paths = []
        self.mode, self.delay = WELL, 0.0
        self.forgets_to_flush = False
        self.changed = threading.Condition()
        threading.Thread(target=self._accept, daemon=True).start()

    def set(self, mode=WELL, delay=0.0):
        with self.changed:
            self.mode, self.delay = mode, delay
            self.changed.notify_all()

    def _accept(self):
        while True:
            client, address = self.listener.accept()
            if self.mode == CUT:
                client.close()
                continue
            threading.Thread(target=self._open, args=(client, address[1]), daemon=True).start()

    def _open(self, client, port):
        # New connections are accepted, and answered when the fault is over.
        self._wait(lambda: self.mode != MUTE)
        try:
            server = socket.create_connection(('127.0.0.1', self.target), timeout=5)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        path = {'silent': False, 'open': True, 'sockets': (client, server), 'port': port}
        self.paths = [path for path in self.paths if path['open']] + [path]
        threading.Thread(target=self._forward, args=(path, client, server), daemon=True).start()
        self._forward(path, server, client)

    def _wait(self, holds):
        with self.changed:
            self.changed.wait_for(holds)

    def _forward(self, path, source, sink):
        is_answer = source is path['sockets'][1]
        try:
            while data := source.recv(65536):
                self._wait(lambda: self.mode != FROZEN)
                if delay := self.delay:
                    with self.changed:
                        self.changed.wait_for(lambda: not self.delay, delay)
                if self.forgets_to_flush and not is_answer:
                    data = data.replace(DURABLE, NOT_DURABLE)
                if not path['silent'] and not (is_answer and self.mode == LOSSY):
                    sink.sendall(data)
        except OSError:
            pass
        # A silent path stays open, whatever its ends do.
        if not path['silent']:
            self._close(path)

    @staticmethod
    def _close(path):
        path['open'] = False
        for end in path['sockets']:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def silence(self):
        for path in self.paths:
            path['silent'] = True

    def end_silent(self):
        for path in self.paths:
            if path['silent']:
                self._close(path)

    def reset(self):
        """Closes all connections."""
        for path in self.paths:
            self._close(path)

    def ports(self):
        """The clients' ports of open connections."""
        return [path['port'] for path in self.paths if path['open']]
