"""A PostgreSQL cluster on a small file system, and a path to it that can fail."""

import os
import pathlib
import signal
import socket
import subprocess
import threading

POSTGRES = {**os.environ, 'PGOPTIONS': '-c default_transaction_read_only=off', 'PGCONNECT_TIMEOUT': '5'}
SIZE = 320 * 1024 * 1024


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as server:
        return server.getsockname()[1]


class Cluster:
    def __init__(self, directory):
        self.bin = sorted(pathlib.Path('/usr/lib/postgresql').glob('*/bin'))[-1]
        self.directory = pathlib.Path(directory)
        self.data = self.directory / 'data'
        self.ballast = self.directory / 'ballast'
        self.port = free_port()
        self.directory.mkdir()
        subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={SIZE}', 'none', directory], check=True)
        subprocess.run(['chown', 'postgres:', directory], check=True)
        self._run('initdb', f'--pgdata={self.data}', '--username=admin', '--auth=trust', '--encoding=UTF8',
                  '--no-locale', '--no-sync', '--wal-segsize=1')
        self.start()
        # The servers must ask for durable commits themselves.
        self.sql('CREATE ROLE doorcode LOGIN', 'ALTER ROLE doorcode SET synchronous_commit = off',
                 'CREATE DATABASE doorcode OWNER doorcode', database='postgres')

    def _run(self, program, *arguments, check=True):
        command = ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups', self.bin / program, *arguments]
        # German messages where the translations are installed: errors are told apart by their code.
        environment = os.environ | {'LANGUAGE': 'de'}
        return subprocess.run(command, check=check, cwd=self.directory, env=environment, stdout=subprocess.DEVNULL)

    def start(self):
        options = (f'-c lc_messages=C.UTF-8 -p {self.port} -k {self.directory} -c listen_addresses=127.0.0.1 -c max_connections=60 '
                   '-c min_wal_size=4MB -c max_wal_size=24MB -c deadlock_timeout=100ms -c shared_buffers=16MB')
        self._run('pg_ctl', 'start', '--wait', f'--pgdata={self.data}', f'--log={self.directory}/log',
                  f'--options={options}')

    def stop(self, mode):
        self._run('pg_ctl', 'stop', '--wait', f'--pgdata={self.data}', f'--mode={mode}', check=False)

    def ensure_running(self):
        """Starts the cluster again if it has ended, as after a panic on a full disk."""
        if not self.processes():
            self.start()

    def processes(self):
        """The postmaster and its children."""
        try:
            postmaster = int((self.data / 'postmaster.pid').read_text().split()[0])
            children = pathlib.Path(f'/proc/{postmaster}/task/{postmaster}/children').read_text().split()
        except (OSError, ValueError, IndexError):
            return []
        return [postmaster, *map(int, children)]

    def signal(self, number):
        for process in self.processes():
            try:
                os.kill(process, number)
            except ProcessLookupError:
                pass

    def kill(self):
        processes = self.processes()
        self.signal(signal.SIGKILL)
        for process in processes:
            # Shared memory is in use until the last process has gone.
            subprocess.run(['timeout', '10', 'tail', f'--pid={process}', '-f', '/dev/null'], check=False)

    def session(self, *statements, database='doorcode'):
        command = [self.bin / 'psql', '-XAtq', '-h', '127.0.0.1', '-p', str(self.port), '-U', 'admin', database]
        for statement in statements:
            command += ['-c', statement]
        return subprocess.Popen(command, env=POSTGRES, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def sql(self, *statements, database='doorcode', check=True):
        session = self.session(*statements, database=database)
        out, error = session.communicate()
        if check and session.returncode:
            raise RuntimeError(f'{statements}: {error}')
        return out.split('\n')[:-1]

    def each_session(self, function):
        """Runs pg_cancel_backend or pg_terminate_backend on the sessions of the servers."""
        self.sql(f"SELECT {function}(pid) FROM pg_stat_activity WHERE usename = 'doorcode'", check=False)

    def fill(self):
        with open(self.ballast, 'wb', buffering=0) as ballast:
            try:
                while True:
                    ballast.write(b'x' * 65536)
            except OSError:
                pass

    def free(self):
        self.ballast.unlink()

    def remove(self):
        self.free() if self.ballast.exists() else None
        self.signal(signal.SIGCONT)
        self.stop('immediate')
        subprocess.run(['umount', '--lazy', self.directory], check=False)


class Relay:
    """Forwards connections. Those that are open can be made silent: they accept bytes and answer nothing."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.paths = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, address = self.listener.accept()
            try:
                server = socket.create_connection(('127.0.0.1', self.target), timeout=5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            path = {'silent': False, 'open': True, 'sockets': (client, server), 'port': address[1]}
            self.paths = [path for path in self.paths if path['open']] + [path]
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._forward, args=(path, source, sink), daemon=True).start()

    @staticmethod
    def _forward(path, source, sink):
        try:
            while data := source.recv(65536):
                if not path['silent']:
                    sink.sendall(data)
        except OSError:
            pass
        # A silent path stays open, whatever its ends do.
        if not path['silent']:
            Relay._close(path)

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

    def ports(self):
        """The clients' ports of open connections."""
        return [path['port'] for path in self.paths if path['open']]
