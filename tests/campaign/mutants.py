"""Mutants: each breaks one promise on purpose, and the campaign must notice it."""

import os
import signal
import time

import report

PATIENCE = 60.0


def durability(campaign):
    """The servers' sessions do not flush their commits; acknowledged changes are lost with the cluster."""
    campaign.relay.forgets_to_flush = True
    campaign.relay.reset()
    campaign.recovery()
    for _ in range(6):
        time.sleep(1)
        campaign.cluster.kill()
        campaign.cluster.start()
        campaign.recovery()
        campaign.reconcile()
        if campaign.ledger.counts['lost']:
            break
    campaign.relay.forgets_to_flush = False
    campaign.relay.reset()
    campaign.recovery()


def second_token(campaign):
    """A creation is done twice."""
    name = any_token(campaign, revoked=False)
    campaign.cluster.sql('CREATE TEMP TABLE twice AS SELECT * FROM token WHERE name = ' + f"'{name}'",
                         "UPDATE twice SET id = 'tok_twice', token_digest = 'twice'", 'INSERT INTO token SELECT * FROM twice')
    campaign.reconcile()
    campaign.cluster.sql("DELETE FROM token WHERE id = 'tok_twice'")


# The revocation of another token.
ANOTHER = 'SELECT revoked_at, revoked_by, revoked_reason FROM token WHERE revoked_at IS NOT NULL LIMIT 1'


def set_revocation(campaign, name, values):
    campaign.cluster.sql(f"UPDATE token SET (revoked_at, revoked_by, revoked_reason) = ({values}) WHERE name = '{name}'")


def forgotten_revocation(campaign):
    """A revoked token works again."""
    name = any_token(campaign, revoked=True)
    set_revocation(campaign, name, 'SELECT NULL::timestamp, NULL, NULL')
    wait_for(campaign, 'stale', lambda: campaign.load.check(name))
    set_revocation(campaign, name, ANOTHER)


def revoked_by_nobody(campaign):
    """An active token is refused."""
    name = any_token(campaign, revoked=False)
    set_revocation(campaign, name, ANOTHER)
    wait_for(campaign, 'wrong no', lambda: campaign.load.check(name))
    set_revocation(campaign, name, 'SELECT NULL::timestamp, NULL, NULL')


def broken_value(campaign):
    """A stored value makes no sense, which is no outage."""
    name = any_token(campaign, revoked=False)
    campaign.cluster.sql(f"UPDATE token SET scopes = chr(34) WHERE name = '{name}'")
    node, token = campaign.nodes[0], campaign.ledger.tokens[name][0]
    path = f'/v1/orgs/{campaign.load.organization}/tokens/{token}'
    wait_for(campaign, '500', lambda: node.request('GET', path, Authorization=f'Bearer {node.operator}'))
    campaign.cluster.sql(f"UPDATE token SET scopes = 'tokens:read' WHERE name = '{name}'")


def fault_that_stays(campaign):
    """A server does not come back."""
    campaign.deployment.servers[0].kill()
    start, campaign.deployment.servers[0].start = campaign.deployment.servers[0].start, lambda: None
    campaign.suffer(lambda_named('stays'))
    campaign.deployment.servers[0].start = start
    campaign.recovery()


def lambda_named(name):
    def fault(_):
        pass
    fault.__name__ = name
    return fault


def late_answers(campaign):
    """The servers stand still for longer than a request may take."""
    for server in campaign.deployment.servers:
        server.signal(signal.SIGSTOP)
    time.sleep(12)
    for server in campaign.deployment.servers:
        server.signal(signal.SIGCONT)
    campaign.recovery()


def hidden_retry(campaign):
    """Answers that tell to come again do not say when."""
    campaign.nodes[0].hides_retry = True
    campaign.relay.set('cut')
    campaign.relay.reset()
    wait_for(campaign, 'no Retry-After', lambda: campaign.nodes[0].device(campaign.ledger.next('p')))
    campaign.relay.set()
    campaign.nodes[0].hides_retry = False
    campaign.recovery()


def always_ready(campaign):
    """A server says that it is ready while writes fail."""
    for node in campaign.nodes:
        node.is_always_ready = True
    campaign.cluster.sql('ALTER SYSTEM SET default_transaction_read_only = on', 'SELECT pg_reload_conf()')
    time.sleep(5)
    campaign.cluster.sql('ALTER SYSTEM RESET default_transaction_read_only', 'SELECT pg_reload_conf()')
    for node in campaign.nodes:
        node.is_always_ready = False
    campaign.suffer(lambda_named('always_ready'))


def missing_record(campaign):
    """A change leaves no record."""
    name = any_token(campaign, revoked=False)
    token = campaign.ledger.tokens[name][0]
    campaign.cluster.sql('SET session_replication_role = replica',
                         f"DELETE FROM audit_record WHERE target = '{token}'",
                         f"DELETE FROM audit_event WHERE target = '{token}'")


def hard_stop(campaign):
    """A server does not end by itself."""
    os.kill(campaign.deployment.servers[0].process.pid, signal.SIGKILL)


# The promise that each breaks. Those of the second list are noticed in the end.
DURING = [('lost', durability), ('doubled', second_token), ('stale', forgotten_revocation),
          ('wrong no', revoked_by_nobody), ('500', broken_value), ('not healed', fault_that_stays),
          ('late', late_answers), ('no Retry-After', hidden_retry), ('ready', always_ready)]
AT_THE_END = [('audit', missing_record), ('stop', hard_stop)]


def any_token(campaign, revoked):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        ledger = campaign.ledger
        with ledger.lock:
            names = [name for name in ledger.tokens if (name in ledger.revoked) == revoked
                     and (revoked or name not in ledger.revoking)]
            if names:
                name = campaign.random.choice(names)
                # The load must not revoke it meanwhile.
                ledger.revoking.add(name) if revoked else ledger.pinned.add(name)
                return name
        time.sleep(0.1)
    raise RuntimeError('the load made no token')


def wait_for(campaign, promise, attempt):
    deadline = time.monotonic() + PATIENCE
    while not campaign.ledger.counts[promise] and time.monotonic() < deadline:
        attempt()


def run(new_campaign, options):
    began, missed = time.monotonic(), []
    with new_campaign(options.database, options.seed) as campaign:
        ledger = campaign.ledger

        def check(promise, mutant):
            found = ledger.counts[promise] > 0
            print(f'{mutant.__name__:22} breaks {promise:15} {"noticed" if found else "NOT NOTICED"}', flush=True)
            if not found:
                missed.append(promise)
        for promise, mutant in DURING:
            ledger.counts[promise] = 0
            mutant(campaign)
            check(promise, mutant)
        ledger.counts['audit'] = ledger.counts['stop'] = 0
        for _, mutant in AT_THE_END:
            mutant(campaign)
        campaign.finish()
        for promise, mutant in AT_THE_END:
            check(promise, mutant)
    report.verdict(len(DURING) + len(AT_THE_END), len(missed), time.monotonic() - began)
    return 1 if missed else 0
