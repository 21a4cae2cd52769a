"""The faults. Each returns how to heal it; `None` if it must heal while it lasts."""

import signal
import subprocess
import threading


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


KINDS = [silent, dropped, read_only_role, read_only_system, disk_full, cancel, terminate, lock, deadlock,
         connection_limit, frozen, killed, restarted]


class Context:
    """What a fault acts on."""

    def __init__(self, cluster, relay, random):
        self.cluster, self.relay, self.random = cluster, relay, random
        self.afterwards = None
        self.stopped = threading.Event()

    def inject(self, kind):
        self.afterwards = None
        kind(self)

    def finish(self):
        if self.afterwards:
            self.afterwards()
