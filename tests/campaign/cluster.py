"""A PostgreSQL cluster on a small file system."""

import os
import pathlib
import signal
import subprocess

from deployment import free_port

POSTGRES = {**os.environ, 'PGOPTIONS': '-c default_transaction_read_only=off', 'PGCONNECT_TIMEOUT': '5'}
SIZE = 320 * 1024 * 1024


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
        options = (f'-c lc_messages=C.UTF-8 -p {self.port} -k {self.directory} -c listen_addresses=127.0.0.1 -c max_connections=90 '
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

    database = 'postgres'

    def url(self, port):
        return f'postgres://doorcode@127.0.0.1:{port}/doorcode'

    def sql(self, *statements, database='doorcode', check=True):
        session = self.session(*statements, database=database)
        out, error = session.communicate()
        if check and session.returncode:
            raise RuntimeError(f'{statements}: {error}')
        return out.split('\n')[:-1]

    def each_session(self, function):
        """Runs pg_cancel_backend or pg_terminate_backend on the sessions of the servers."""
        self.sql(f"SELECT {function}(pid) FROM pg_stat_activity WHERE usename = 'doorcode'", check=False)

    def one_session(self, random):
        """The process of one session of the servers; `None` without any."""
        found = self.sql("SELECT pid FROM pg_stat_activity WHERE usename = 'doorcode'", check=False)
        return int(random.choice(found)) if found else None

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

