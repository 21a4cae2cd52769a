"""A campaign of faults: PostgreSQL, two servers and a steady load; random faults are injected and healed.

    tests/campaign/run.py [--seed N] [--faults N]

After each fault it waits until both servers work again without a restart, and compares its ledger of
acknowledged changes with the database; in the end the audit log too. It fails if an acknowledged change is
lost, done twice or ignored, if an answer is late or an internal error, or if a fault does not heal. It needs
root, for a network and a mount namespace of its own. Seeds that have been run: 7, 11, 20.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

import faults
from cluster import Cluster, Relay, free_port
from load import Ledger, Load, Node

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get('DOORCODE_BIN', str(ROOT / 'target/debug/doorcode'))
HEALED = 45.0
LIE = 2.0


def isolate():
    """Continues in a network and a mount namespace of its own."""
    if 'CAMPAIGN_ISOLATED' not in os.environ:
        os.environ['CAMPAIGN_ISOLATED'] = '1'
        os.execvp('unshare', ['unshare', '--net', '--mount', sys.executable, *sys.argv])
    for command in ('link set lo up', 'rule add pref 10 lookup local', 'rule del pref 0'):
        subprocess.run(['ip', *command.split()], check=True)


class Deployment:
    def __init__(self, directory, relay):
        self.directory = directory
        self.settings = {
            'PATH': os.environ['PATH'],
            'DOORCODE__DATABASE__URL': f'postgres://doorcode@127.0.0.1:{relay.port}/doorcode',
            'DOORCODE__DEVICE__LIVE_CODES_PER_SOURCE': '100000',
            'DOORCODE__DEVICE__LIVE_CODES_PER_SITE': '100000',
            'DOORCODE__DEVICE__LIVE_CODES_PER_CLIENT': '100000',
            'DOORCODE__DEVICE__CODE_LIFETIME': '30m',
            'RUST_LOG': 'warn',
        }
        self.servers = []

    def run(self, *arguments, **options):
        return subprocess.run([BINARY, *arguments], cwd=self.directory, env=self.settings, check=True, text=True,
                              stdout=subprocess.PIPE, **options).stdout

    def start(self):
        port = free_port()
        url = f'127.0.0.1:{port}'
        settings = {'DOORCODE__SERVER__LISTEN': url, 'DOORCODE__SERVER__PUBLIC_URL': 'http://127.0.0.1:9999',
                    'DOORCODE__SERVER__DRAIN_FOR': '0s'}
        log = open(self.directory / f'server-{len(self.servers)}.log', 'w')
        self.servers.append(subprocess.Popen([BINARY, 'serve'], cwd=self.directory, env=self.settings | settings,
                                             stdout=log, stderr=log))
        return port

    def stop(self):
        for server in self.servers:
            server.terminate()
        return [server.wait(30) for server in self.servers]


def recovery(nodes, ledger):
    """Seconds until both servers answered well three times in a row; `None` if they did not."""
    began = time.monotonic()
    good = 0
    while time.monotonic() - began < HEALED:
        found = [node.ready() and node.device(ledger.next('p')) for node in nodes]
        good = good + 1 if all(found) else 0
        if good == 3:
            return time.monotonic() - began
        time.sleep(0.05)
    return None


def reconcile(cluster, ledger):
    """Compares the ledger with the database."""
    with ledger.lock:
        tokens, revoked, devices = dict(ledger.tokens), set(ledger.revoked), set(ledger.devices)
    stored = collections.Counter(cluster.sql("SELECT name FROM token WHERE name LIKE 't%'"))
    ended = set(cluster.sql("SELECT name FROM token WHERE revoked_at IS NOT NULL"))
    granted = collections.Counter(cluster.sql("SELECT device_name FROM device_grant WHERE device_name LIKE 'd%'"))
    for name in tokens:
        if not stored[name]:
            ledger.violate('lost', f'token {name}')
    for name, count in (stored + granted).items():
        if count > 1:
            ledger.violate('doubled', name)
    for name in revoked - ended:
        ledger.violate('lost', f'revocation of {name}')
    for name in devices - set(granted):
        ledger.violate('lost', f'device grant {name}')


def reconcile_audit(cluster, deployment, ledger):
    """Each acknowledged change has one record, and the chain is sound."""
    both = '(SELECT action, target FROM audit_event UNION ALL SELECT action, target FROM audit_record) AS audit'
    for action, names in (('created', ledger.tokens), ('revoked', ledger.revoked)):
        rows = cluster.sql(f"SELECT target FROM {both} WHERE action LIKE 'token.{action}%'")
        records = collections.Counter(rows)
        for name in names:
            if records[ledger.tokens[name][0]] != 1:
                ledger.violate('audit', f'{action} {name}: {records[ledger.tokens[name][0]]} records')
    try:
        deployment.run('audit', 'verify')
    except subprocess.CalledProcessError as error:
        ledger.violate('audit', f'verify: {error.stdout}')


def campaign(options):
    began = time.monotonic()
    rng = random.Random(options.seed)
    scratch = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get('TMPDIR')))
    scratch.chmod(0o755)
    cluster = Cluster(scratch / 'postgres')
    relay = Relay(cluster.port)
    deployment = Deployment(scratch, relay)
    ledger = Ledger()
    load = None
    figures = collections.defaultdict(list)
    try:
        deployment.run('migrate')
        deployment.run('user', 'add', '--email', 'ada@example.com', '--name', 'Ada', '--org', 'Acme', '--role', 'owner',
                       '--password-stdin', input='correct horse battery staple 77\n')
        ports = [deployment.start(), deployment.start()]
        operator = (scratch / 'data/operator_token').read_text().strip()
        nodes = [Node(port, operator, ledger) for port in ports]
        while recovery(nodes, ledger) is None:
            pass
        ledger.__init__()
        _, text = nodes[0].request('GET', '/v1/orgs', Authorization=f'Bearer {operator}')
        organization = json.loads(text)['items'][0]['id']
        load = Load(nodes, ledger, organization, options.seed)
        kinds, lies = [], [0.0]
        while len(kinds) < options.faults:
            kinds += rng.sample(faults.KINDS, len(faults.KINDS))
        context = faults.Context(cluster, relay, rng)
        for number, kind in enumerate(kinds[:options.faults]):
            time.sleep(rng.uniform(0.5, 1.5))
            context.inject(kind)
            took = recovery(nodes, ledger)
            context.finish()
            if took is None:
                ledger.violate('not healed', kind.__name__)
                took = HEALED
            figures[kind.__name__].append(took)
            reconcile(cluster, ledger)
            lies.append(max(node.take_lie() for node in nodes))
            print(f'{number + 1:3} {kind.__name__:18} recovered in {took:5.2f} s, '
                  f'ready while writes fail {lies[-1]:4.2f} s', flush=True)
        load.end()
        load = None
        reconcile(cluster, ledger)
        codes = deployment.stop()
        if any(codes):
            ledger.violate('stop', codes)
        reconcile_audit(cluster, deployment, ledger)
    finally:
        if load:
            load.end()
        for server in deployment.servers:
            server.kill()
        cluster.remove()
    lie = max(lies)
    if lie > LIE:
        ledger.violate('ready', f'ready for {lie:.1f} s while writes failed')
    report(options, ledger, figures, lie, began)
    return 1 if ledger.violations else 0


def report(options, ledger, figures, lie, began):
    print(f'\nseed {options.seed}: {options.faults} faults')
    for kind, times in sorted(figures.items()):
        print(f'{kind:18} n {len(times):2}  median {statistics.median(times):5.2f} s  worst {max(times):5.2f} s')
    print(f'acknowledged: {len(ledger.tokens)} tokens, {len(ledger.revoked)} revocations, '
          f'{len(ledger.devices)} device grants')
    print('answers:', dict(sorted((k, v) for k, v in ledger.counts.items() if k.startswith('status'))))
    print(f'slowest answer {ledger.slowest:.2f} s; ready while writes fail at most {lie:.2f} s')
    names = ['lost', 'doubled', 'stale', 'wrong no', 'refused', 'not healed', 'late', '500', 'no Retry-After',
             'ready', 'audit', 'stop']
    print(', '.join(f'{name} {ledger.counts[name]}' for name in names))
    for text in ledger.violations[:40]:
        print('VIOLATION', text)
    # As unittest writes it, for tests/run.
    print(f'Ran {options.faults} tests in {time.monotonic() - began:.0f}s')
    failures = min(len(ledger.violations), options.faults)
    print(f'FAILED (failures={failures})' if failures else 'OK')


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--seed', type=int, default=7)
    parser.add_argument('--faults', type=int, default=len(faults.KINDS))
    arguments = parser.parse_args()
    isolate()
    sys.exit(campaign(arguments))
