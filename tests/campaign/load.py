"""A steady mixed load with its own ledger of the changes that the servers have acknowledged."""

import collections
import http.client
import json
import random
import threading
import time
import urllib.parse

from flow import Browser, sign_in_device

ANSWERED = 10.0
GIVE_UP = 30.0
WORKERS = 6


class Ledger:
    def __init__(self):
        self.lock = threading.Lock()
        self.tokens = {}        # name: (id, token) of acknowledged ones
        self.revoked = set()    # names
        self.revoking = set()   # names, from before the first attempt
        self.pinned = set()     # names that are not to be revoked
        self.devices = set()    # names of acknowledged device grants
        self.approved = set()   # names of devices whose approval was acknowledged
        self.flows = 0          # devices that received a token
        self.counts = collections.Counter()
        self.violations = []
        self.slowest = 0.0
        self.serial = 0

    def next(self, kind):
        with self.lock:
            self.serial += 1
            return f'{kind}{self.serial}'

    def count(self, name):
        with self.lock:
            self.counts[name] += 1

    def violate(self, kind, text):
        with self.lock:
            self.counts[kind] += 1
            self.violations.append(f'{kind}: {text}')


class Node:
    """One server, as its callers see it."""

    def __init__(self, port, operator, ledger):
        self.port, self.operator, self.ledger = port, operator, ledger
        self.failing_since = self.ready_since = None
        self.longest_lie = 0.0
        # Of mutants.
        self.hides_retry = self.is_always_ready = False

    def request(self, method, path, body=None, **headers):
        """The status and the body; the status 0 if there was no answer."""
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=GIVE_UP)
        headers = {name.replace('_', '-'): value for name, value in headers.items()}
        began = time.monotonic()
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text, status = response.read().decode(), response.status
        except (OSError, http.client.HTTPException):
            text, status, response = '', 0, None
        finally:
            connection.close()
        took = time.monotonic() - began
        with self.ledger.lock:
            self.ledger.slowest = max(self.ledger.slowest, took)
            self.ledger.counts[f'status {status}'] += 1
        if took > ANSWERED:
            self.ledger.violate('late', f'{method} {path} {took:.1f} s, {status}')
        if status == 500:
            self.ledger.violate('500', f'{method} {path} {text[:200]}')
        if status == 503 and path != '/readyz' and (self.hides_retry or not response.headers['Retry-After']):
            self.ledger.violate('no Retry-After', path)
        return status, text

    def form(self, path, **fields):
        kind = 'application/x-www-form-urlencoded'
        return self.request('POST', path, urllib.parse.urlencode(fields), Content_Type=kind,
                            Authorization=f'Bearer {self.operator}')

    def json(self, path, fields):
        body = urllib.parse.urlencode(fields)
        status, text = self.request('POST', path, body, Content_Type='application/x-www-form-urlencoded')
        return status, json.loads(text) if status in (200, 400) else {}

    def introspect(self, token):
        status, text = self.form('/auth/introspect', token=token)
        return json.loads(text)['active'] if status == 200 else None

    def device(self, name):
        body = urllib.parse.urlencode({'client_id': 'doorcode-cli', 'device_name': name})
        status, _ = self.request('POST', '/auth/device', body, Content_Type='application/x-www-form-urlencoded')
        self.note_write(status == 200)
        return status == 200

    def note_write(self, is_done):
        now = time.monotonic()
        if is_done:
            self.failing_since = None
            return
        self.failing_since = self.failing_since or now
        if ready_since := self.ready_since:
            self.longest_lie = max(self.longest_lie, now - max(ready_since, self.failing_since))

    def take_lie(self):
        """The longest time since the last call that the server was ready while writes failed."""
        lie, self.longest_lie = self.longest_lie, 0.0
        return lie

    def ready(self):
        status, _ = self.request('GET', '/readyz')
        status = 200 if self.is_always_ready else status
        self.ready_since = (self.ready_since or time.monotonic()) if status == 200 else None
        return status == 200


class Load:
    def __init__(self, nodes, ledger, organization, seed, user):
        self.nodes, self.ledger, self.organization, self.user = nodes, ledger, organization, user
        self.ended = threading.Event()
        jobs = [(self.work, random.Random(seed * 1000 + n)) for n in range(WORKERS)]
        jobs += [(self.sign_in, random.Random(seed * 1000 + 500))]
        jobs += [(self.watch, node) for node in nodes]
        self.threads = [threading.Thread(target=job, args=(argument,)) for job, argument in jobs]
        for thread in self.threads:
            thread.start()

    def end(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def watch(self, node):
        while not self.ended.wait(0.1):
            node.ready()

    def sign_in(self, rng):
        browser = Browser(self.nodes, *self.user)
        browser.sign_in(rng)
        while not self.ended.wait(0.2):
            sign_in_device(self, browser, rng)

    def work(self, rng):
        acts = [self.create, self.create, self.revoke, self.ask, self.ask, self.authorize]
        while not self.ended.wait(0.02):
            rng.choice(acts)(rng)

    def until_done(self, rng, attempt):
        """Repeats an attempt on either server until it returns something, or the load ends."""
        while not self.ended.is_set():
            if (result := attempt(rng.choice(self.nodes))) is not None:
                return result
            self.ended.wait(0.1)
        return None

    def create(self, rng):
        name = self.ledger.next('t')

        def attempt(node):
            body = json.dumps({'name': name, 'scopes': ['tokens:read']})
            status, text = node.request(
                'POST', f'/v1/orgs/{self.organization}/tokens', body, Content_Type='application/json',
                Authorization=f'Bearer {node.operator}', Idempotency_Key=name)
            if status != 409:
                node.note_write(status == 201)
            if status in (0, 409, 503):
                return None
            if status != 201:
                self.ledger.violate('refused', f'create {status} {text[:200]}')
                return {}
            return json.loads(text)
        if made := self.until_done(rng, attempt):
            with self.ledger.lock:
                self.ledger.tokens[name] = (made['id'], made['token'])

    def revoke(self, rng):
        with self.ledger.lock:
            kept = self.ledger.revoking | self.ledger.pinned
            names = [name for name in self.ledger.tokens if name not in kept]
            if len(names) < 10:
                return
            name = rng.choice(names)
            self.ledger.revoking.add(name)
        token_id, token = self.ledger.tokens[name]

        def attempt(node):
            path = f'/v1/orgs/{self.organization}/tokens/{token_id}'
            status, text = node.request('DELETE', path, Authorization=f'Bearer {node.operator}')
            node.note_write(status in (200, 204))
            if status in (0, 503):
                return None
            if status not in (200, 204):
                self.ledger.violate('refused', f'revoke {status} {text[:200]}')
            return True
        if self.until_done(rng, attempt):
            with self.ledger.lock:
                self.ledger.revoked.add(name)
            for node in self.nodes:
                if node.introspect(token):
                    self.ledger.violate('stale', name)

    def ask(self, rng):
        with self.ledger.lock:
            names = list(self.ledger.tokens)
        if not names:
            return
        self.check(rng.choice(names), rng)

    def check(self, name, rng=random):
        was_revoked, was_revoking = name in self.ledger.revoked, name in self.ledger.revoking
        active = rng.choice(self.nodes).introspect(self.ledger.tokens[name][1])
        if active and was_revoked:
            self.ledger.violate('stale', name)
        if active is False and not was_revoking and name not in self.ledger.revoking:
            self.ledger.violate('wrong no', name)

    def authorize(self, rng):
        name = self.ledger.next('d')
        if rng.choice(self.nodes).device(name):
            with self.ledger.lock:
                self.ledger.devices.add(name)
