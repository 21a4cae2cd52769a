"""Faults of the servers, of their clients, and of a SQLite database."""

import signal
import socket
import sqlite3

from faults import wait


def kill_one(context):
    server = context.random.choice(context.servers)
    server.kill()
    wait(context, 0, 1)
    server.start()


def kill_all(context):
    for server in context.servers:
        server.kill()
    for server in context.servers:
        server.start()


def kill_in_turn(context):
    for server in context.servers * 2:
        server.kill()
        server.start()
        wait(context, 0.3, 1)


def stop_one(context):
    server = context.random.choice(context.servers)
    context.expect_stop(server.stop())
    server.start()


def stop_in_turn(context):
    for server in context.servers:
        context.expect_stop(server.stop())
        server.start()
        wait(context, 0.5, 1)


def freeze_one(context):
    freeze(context, [context.random.choice(context.servers)])


def freeze_all(context):
    freeze(context, context.servers)


def freeze(context, servers):
    # Shorter than the time in which a request has to be answered.
    for server in servers:
        server.signal(signal.SIGSTOP)
    wait(context, 1, 5)
    for server in servers:
        server.signal(signal.SIGCONT)


def connections(context, count):
    opened = []
    for _ in range(count):
        server = context.random.choice(context.servers)
        try:
            opened.append(socket.create_connection(('127.0.0.1', server.port), timeout=2))
        except OSError:
            pass
    return opened


def idle_clients(context):
    """Many connections that send nothing."""
    opened = connections(context, 1500)
    wait(context, 2, 4)
    for connection in opened:
        connection.close()


def slow_clients(context):
    """Requests that never end."""
    opened = connections(context, 300)
    for _ in range(3):
        for connection in opened:
            try:
                connection.sendall(b'P')
            except OSError:
                pass
        wait(context, 0.5, 1)
    for connection in opened:
        connection.close()


def commands(context):
    """What an operator does meanwhile."""
    for arguments in (['client', 'list'], ['user', 'list'], ['audit', 'verify'],
                      ['client', 'add', '--id', context.ledger.next('c'), '--name', 'x', '--all-scopes']):
        try:
            context.deployment.run(*arguments)
        except Exception as error:
            context.ledger.violate('command', f'{arguments}: {getattr(error, "stderr", error)}')


SERVERS = [kill_one, kill_all, kill_in_turn, stop_one, stop_in_turn, freeze_one, freeze_all, idle_clients,
           slow_clients, commands]


def full_disk(context):
    context.cluster.fill()
    wait(context, 2, 5)
    context.cluster.free()


def foreign_lock(context):
    """Another program writes."""
    context.cluster.hold('BEGIN IMMEDIATE', context.random.uniform(2, 8))


def long_read(context):
    context.cluster.hold('BEGIN', context.random.uniform(2, 6))


def vacuum(context):
    context.cluster.sql('VACUUM', check=False)


def checkpoint(context):
    for mode in ('PASSIVE', 'FULL', 'RESTART', 'TRUNCATE'):
        context.cluster.sql(f'PRAGMA wal_checkpoint({mode})', check=False)


def online_backup(context):
    source, target = context.cluster.connect(), sqlite3.connect(':memory:')
    source.backup(target, pages=50)
    target.close()
    source.close()


SQLITE = [kill_one, kill_all, stop_one, freeze_one, idle_clients, slow_clients, commands, full_disk, foreign_lock,
          long_read, vacuum, checkpoint, online_backup]
