"""The servers of a campaign."""

import os
import pathlib
import signal
import socket
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get('DOORCODE_BIN', str(ROOT / 'target/debug/doorcode'))
PASSWORD = 'correct horse battery staple 77'
EMAIL = 'ada@example.com'


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as server:
        return server.getsockname()[1]


class Server:
    """One server, which keeps its port over restarts."""

    def __init__(self, deployment, number):
        self.deployment, self.number = deployment, number
        self.port = free_port()
        self.process = None
        self.codes = []

    def start(self):
        settings = {'DOORCODE__SERVER__LISTEN': f'127.0.0.1:{self.port}', 'DOORCODE__SERVER__DRAIN_FOR': '0s',
                    'DOORCODE__SERVER__PUBLIC_URL': 'http://127.0.0.1:9999'}
        log = open(self.deployment.directory / f'server-{self.number}.log', 'a')
        self.process = subprocess.Popen([BINARY, 'serve'], cwd=self.deployment.directory,
                                        env=self.deployment.settings | settings, stdout=log, stderr=log)
        log.close()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Stops it as a service manager does; returns the exit code."""
        self.process.terminate()
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            code = 'did not stop'
        self.codes.append(code)
        return code

    def ensure_running(self):
        """Starts it again if it has ended, as a service manager does."""
        if self.process.poll() is not None:
            self.start()

    def signal(self, number):
        self.process.send_signal(number)


class Deployment:
    def __init__(self, directory, url, count):
        self.directory = directory
        self.settings = {
            'PATH': os.environ['PATH'],
            'DOORCODE__DATABASE__URL': url,
            'DOORCODE__DEVICE__LIVE_CODES_PER_SOURCE': '100000',
            'DOORCODE__DEVICE__LIVE_CODES_PER_SITE': '100000',
            'DOORCODE__DEVICE__LIVE_CODES_PER_CLIENT': '100000',
            'DOORCODE__DEVICE__CODE_LIFETIME': '30m',
            'DOORCODE__DEVICE__INTERVAL': '1s',
            'RUST_LOG': 'warn',
        }
        self.servers = [Server(self, number) for number in range(count)]

    def run(self, *arguments, check=True, **options):
        return subprocess.run([BINARY, *arguments], cwd=self.directory, env=self.settings, check=check, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options).stdout

    def prepare(self):
        self.run('migrate')
        self.run('user', 'add', '--email', EMAIL, '--name', 'Ada', '--org', 'Acme', '--role', 'owner',
                 '--password-stdin', input=PASSWORD + '\n')
        for server in self.servers:
            server.start()

    def operator(self):
        return (self.directory / 'data/operator_token').read_text().strip()

    def stop(self):
        return [server.stop() for server in self.servers]

    def kill(self):
        for server in self.servers:
            if server.process:
                server.process.send_signal(signal.SIGCONT)
                server.kill()
