"""A campaign of faults: servers, a database and a steady load; random faults are injected and healed.

    tests/campaign/run.py [--database postgres|sqlite] [--seed N] [--faults N | --each N] [--part 1|2]
                          [--figures FILE] [--mutants]

After each fault it waits until all servers work again, and compares its ledger of acknowledged changes with
the database; in the end the audit log too. It fails if an acknowledged change is lost, done twice or ignored,
if an answer is late or an internal error, or if a fault does not heal. With --mutants it breaks each of these
promises on purpose, and fails if that is not noticed. It needs root, for a network and a mount namespace of
its own. Seeds that have been run: 3, 5, 7, 11, 20.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import faults
import mutants
import report
import server_faults
from cluster import Cluster
from deployment import EMAIL, PASSWORD, Deployment
from file import File
from load import Ledger, Load, Node
from relay import Relay

HEALED = 45.0
SERVERS = 3


def isolate():
    """Continues in a network and a mount namespace of its own."""
    if 'CAMPAIGN_ISOLATED' not in os.environ:
        os.environ['CAMPAIGN_ISOLATED'] = '1'
        os.execvp('unshare', ['unshare', '--net', '--mount', sys.executable, *sys.argv])
    for command in ('link set lo up', 'rule add pref 10 lookup local', 'rule del pref 0'):
        subprocess.run(['ip', *command.split()], check=True)


class Campaign:
    """A deployment under load."""

    def __init__(self, database, seed):
        self.random, self.seed = random.Random(seed), seed
        self.scratch = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get('TMPDIR')))
        self.scratch.chmod(0o755)
        self.is_postgres = database == 'postgres'
        self.cluster = (Cluster if self.is_postgres else File)(self.scratch / 'database')
        self.relay = Relay(self.cluster.port)
        url = self.cluster.url(self.relay.port)
        self.deployment = Deployment(self.scratch, url, SERVERS if self.is_postgres else 1)
        self.ledger, self.load = Ledger(), None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.load:
            self.load.end()
        self.deployment.kill()
        self.cluster.remove()

    def start(self):
        self.deployment.prepare()
        operator = self.deployment.operator()
        self.nodes = [Node(server.port, operator, self.ledger) for server in self.deployment.servers]
        began = time.monotonic()
        while self.recovery() is None:
            if time.monotonic() - began > 120:
                raise RuntimeError('the servers do not start')
        self.ledger.__init__()
        _, text = self.nodes[0].request('GET', '/v1/orgs', Authorization=f'Bearer {operator}')
        organization = json.loads(text)['items'][0]['id']
        self.context = faults.Context(self.cluster, self.relay, self.deployment, self.ledger, self.random)
        self.load = Load(self.nodes, self.ledger, organization, self.seed, (EMAIL, PASSWORD))

    def recovery(self):
        """Seconds until all servers answered well three times in a row; `None` if they did not."""
        began = time.monotonic()
        good = 0
        while time.monotonic() - began < HEALED:
            for server in self.deployment.servers:
                server.ensure_running()
            found = [node.ready() and node.device(self.ledger.next('p')) for node in self.nodes]
            good = good + 1 if all(found) else 0
            if good == 3:
                return time.monotonic() - began
            time.sleep(0.05)
        return None

    def suffer(self, kind):
        """Injects a fault; returns the seconds until all works again, and how long a server said that it
        was ready while writes failed."""
        self.context.inject(kind)
        took = self.recovery()
        self.context.finish()
        if took is None:
            self.ledger.violate('not healed', kind.__name__)
            took = HEALED
        self.reconcile()
        lie = max(node.take_lie() for node in self.nodes)
        if lie > report.LIE:
            self.ledger.violate('ready', f'{kind.__name__}: ready for {lie:.1f} s while writes failed')
        return took, lie

    def reconcile(self):
        """Compares the ledger with the database."""
        ledger, sql = self.ledger, self.cluster.sql
        with ledger.lock:
            tokens, revoked = dict(ledger.tokens), set(ledger.revoked)
            devices = ledger.devices | ledger.approved
        # Of devices too: a token has the name of the device that asked for it.
        stored = collections.Counter(sql("SELECT name FROM token WHERE name LIKE 't%' OR name LIKE 'Doorcode CLI on f%'"))
        ended = set(sql('SELECT name FROM token WHERE revoked_at IS NOT NULL'))
        granted = collections.Counter(sql("SELECT device_name FROM device_grant WHERE device_name LIKE 'd%' "
                                          "OR device_name LIKE 'f%'"))
        for name in tokens:
            if not stored[name]:
                ledger.violate('lost', f'token {name}')
        for counted in (stored, granted):
            for name, count in counted.items():
                # The answer to a device may have been lost, and its next request made another grant.
                if count > 1 and not (counted is granted and name.startswith('f')):
                    ledger.violate('doubled', name)
        for name in revoked - ended:
            ledger.violate('lost', f'revocation of {name}')
        for name in devices - set(granted):
            ledger.violate('lost', f'device grant {name}')

    def reconcile_audit(self):
        """Each acknowledged change has one record, and the chain is sound."""
        both = '(SELECT action, target FROM audit_event UNION ALL SELECT action, target FROM audit_record) AS audit'
        for action, names in (('created', self.ledger.tokens), ('revoked', self.ledger.revoked)):
            rows = self.cluster.sql(f"SELECT target FROM {both} WHERE action LIKE 'token.{action}%'")
            records = collections.Counter(rows)
            for name in names:
                found = records[self.ledger.tokens[name][0]]
                if found != 1:
                    self.ledger.violate('audit', f'{action} {name}: {found} records')
        try:
            self.deployment.run('audit', 'verify')
        except subprocess.CalledProcessError as error:
            self.ledger.violate('audit', f'verify: {error.stdout}{error.stderr}')

    def finish(self):
        """Ends load and servers, and compares all."""
        self.load.end()
        self.load = None
        self.reconcile()
        for code in self.deployment.stop():
            self.context.expect_stop(code)
        self.reconcile_audit()


def kinds_of(options):
    """The kinds of faults of this run; a campaign of all of them has two parts."""
    if options.database == 'sqlite':
        return server_faults.SQLITE
    if options.part:
        return [faults.POSTGRES, server_faults.SERVERS][options.part - 1]
    return faults.POSTGRES + server_faults.SERVERS


def run(options):
    began = time.monotonic()
    figures = collections.defaultdict(list)
    with Campaign(options.database, options.seed) as campaign:
        kinds, chosen = kinds_of(options), []
        count = options.each * len(kinds) if options.each else options.faults
        while len(chosen) < count:
            chosen += campaign.random.sample(kinds, len(kinds))
        for number, kind in enumerate(chosen[:count]):
            campaign.context.stopped.wait(campaign.random.uniform(0.5, 1.5))
            took, lie = campaign.suffer(kind)
            figures[kind.__name__].append(took)
            print(f'{number + 1:3} {kind.__name__:18} recovered in {took:5.2f} s, '
                  f'ready while writes fail {lie:4.2f} s', flush=True)
        campaign.finish()
    report.show(options, campaign.ledger, figures, time.monotonic() - began)
    return 1 if campaign.ledger.violations else 0


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--database', choices=('postgres', 'sqlite'), default='postgres')
    parser.add_argument('--seed', type=int, default=7)
    parser.add_argument('--faults', type=int, default=len(faults.POSTGRES))
    parser.add_argument('--each', type=int, help='how often each kind, in place of --faults')
    parser.add_argument('--part', type=int, choices=(1, 2))
    parser.add_argument('--figures', type=pathlib.Path, help='add the figures of this run to this file')
    parser.add_argument('--mutants', action='store_true')
    arguments = parser.parse_args()
    isolate()
    sys.exit(mutants.run(Campaign, arguments) if arguments.mutants else run(arguments))
