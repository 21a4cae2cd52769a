"""A SQLite database on a small file system."""

import pathlib
import sqlite3
import subprocess
import threading

SIZE = 512 * 1024 * 1024


class File:
    """The counterpart of a cluster: the folder of one server, with its database."""
    database = 'sqlite'
    port = 0

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.ballast = self.directory / 'ballast'
        self.directory.mkdir()
        subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={SIZE}', 'none', directory], check=True)
        self.path = self.directory / 'doorcode.db'

    def url(self, _):
        return f'sqlite:{self.path}'

    def connect(self):
        return sqlite3.connect(self.path, timeout=20, isolation_level=None, check_same_thread=False)

    def sql(self, *statements, check=True):
        connection = self.connect()
        try:
            rows = []
            for statement in statements:
                rows = connection.execute(statement).fetchall()
            return ['|'.join(map(str, row)) for row in rows]
        except sqlite3.Error:
            if check:
                raise
            return []
        finally:
            connection.close()

    def hold(self, statement, seconds):
        """Runs a statement in a transaction that stays open for a while."""
        connection = self.connect()
        try:
            connection.execute(statement)
            connection.execute('SELECT count(*) FROM token').fetchall()
            threading.Event().wait(seconds)
            connection.execute('ROLLBACK')
        finally:
            connection.close()

    def fill(self):
        with open(self.ballast, 'wb', buffering=0) as ballast:
            for size in (65536, 4096, 512):
                try:
                    while True:
                        ballast.write(b'x' * size)
                except OSError:
                    pass

    def free(self):
        self.ballast.unlink()

    def remove(self):
        subprocess.run(['umount', '--lazy', self.directory], check=False)
