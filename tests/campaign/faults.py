"""Faults of PostgreSQL and of the path to it. Each heals itself, or leaves in `afterwards` how to."""

import os
import signal
import subprocess
import threading

from relay import CUT, FROZEN, LOSSY, MUTE


def wait(context, low, high):
    context.stopped.wait(context.random.uniform(low, high))


def silent(context):
    """The path acknowledges packets and answers nothing; new connections work."""
    context.relay.silence()
    context.afterwards = context.relay.end_silent


def dropped(context):
    """Packets of open connections vanish; new connections work."""
    rules = []
    for port in context.relay.ports():
        for ends in (('sport', port, 'dport', context.relay.port), ('sport', context.relay.port, 'dport', port)):
            rules.append(['pref', '5', 'ipproto', 'tcp', *map(str, ends), 'blackhole'])
    for rule in rules:
        subprocess.run(['ip', 'rule', 'add', *rule], check=True)

    def heal():
        for rule in rules:
            subprocess.run(['ip', 'rule', 'del', *rule], check=True)
    context.afterwards = heal


def read_only_role(context):
    context.cluster.sql('ALTER ROLE doorcode SET default_transaction_read_only = on')
    context.cluster.each_session('pg_terminate_backend')
    wait(context, 2, 6)
    context.cluster.sql('ALTER ROLE doorcode RESET default_transaction_read_only')


def read_only_system(context):
    context.cluster.sql('ALTER SYSTEM SET default_transaction_read_only = on', 'SELECT pg_reload_conf()')
    wait(context, 2, 6)
    context.cluster.sql('ALTER SYSTEM RESET default_transaction_read_only', 'SELECT pg_reload_conf()')


def disk_full(context):
    context.cluster.fill()
    wait(context, 2, 5)
    context.cluster.free()
    context.cluster.ensure_running()


def cancel(context):
    for _ in range(20):
        context.cluster.each_session('pg_cancel_backend')


def terminate(context):
    for _ in range(context.random.randint(1, 6)):
        context.cluster.each_session('pg_terminate_backend')


def lock(context):
    seconds = context.random.uniform(2, 6)
    table = context.random.choice(['token', 'device_grant', 'audit_event', 'audit_record', 'idempotency_record'])
    session = context.cluster.session('BEGIN', f'LOCK TABLE {table}', f'SELECT pg_sleep({seconds})', 'COMMIT')
    session.communicate()


def deadlock(context):
    for _ in range(8):
        order = context.random.sample(['token', 'audit_event', 'device_grant', 'idempotency_record'], 3)
        steps = [step for table in order for step in (f'LOCK TABLE {table} IN SHARE MODE', 'SELECT pg_sleep(0.05)')]
        context.cluster.session('BEGIN', *steps, 'COMMIT').communicate()


def connection_limit(context):
    context.cluster.sql('ALTER ROLE doorcode CONNECTION LIMIT 2')
    context.cluster.each_session('pg_terminate_backend')
    wait(context, 2, 6)
    context.cluster.sql('ALTER ROLE doorcode CONNECTION LIMIT -1')


def frozen(context):
    context.cluster.signal(signal.SIGSTOP)
    wait(context, 2, 12)
    context.cluster.signal(signal.SIGCONT)


def killed(context):
    context.cluster.kill()
    wait(context, 0, 2)
    context.cluster.start()


def restarted(context):
    context.cluster.stop(context.random.choice(['fast', 'immediate']))
    wait(context, 0, 2)
    context.cluster.start()


def kill_backend(context):
    """The postmaster ends all sessions and recovers."""
    process = context.cluster.one_session(context.random)
    if process:
        os.kill(process, signal.SIGKILL)


def path_fault(context, mode, low, high):
    context.relay.set(mode)
    wait(context, low, high)
    context.relay.set()


def reset(context):
    for _ in range(context.random.randint(1, 4)):
        context.relay.reset()


def cut(context):
    context.relay.set(CUT)
    context.relay.reset()
    wait(context, 1, 6)
    context.relay.set()


def frozen_path(context):
    path_fault(context, FROZEN, 1.5, 9)


def slow_path(context):
    context.relay.set(delay=context.random.uniform(0.05, 0.3))
    wait(context, 3, 6)
    context.relay.set()


def lost_answers(context):
    """What was committed is unknown."""
    context.relay.set(LOSSY)
    wait(context, 0.2, 2)
    context.relay.reset()
    context.relay.set()


def mute(context):
    """New connections are accepted and not answered."""
    context.relay.set(MUTE)
    context.relay.reset()
    wait(context, 1, 6)
    context.relay.set()


POSTGRES = [silent, dropped, read_only_role, read_only_system, disk_full, cancel, terminate, lock, deadlock,
            connection_limit, frozen, killed, restarted, kill_backend, reset, cut, frozen_path, slow_path,
            lost_answers, mute]


class Context:
    """What a fault acts on."""

    def __init__(self, cluster, relay, deployment, ledger, random):
        self.cluster, self.relay, self.deployment = cluster, relay, deployment
        self.ledger, self.random = ledger, random
        self.servers = deployment.servers
        self.afterwards = None
        self.stopped = threading.Event()

    def inject(self, kind):
        self.afterwards = None
        kind(self)

    def expect_stop(self, code):
        if code:
            self.ledger.violate('stop', code)

    def finish(self):
        if self.afterwards:
            self.afterwards()
