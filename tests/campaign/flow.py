"""Device sign-ins in the load: a user approves in a browser, and the device polls twice at once."""

import html
import http.client
import re
import threading
import urllib.parse

GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
CLIENT = 'doorcode-cli'
FIELD = r'name="%s"[^>]*\bvalue="([^"]*)"|\bvalue="([^"]*)"[^>]*\bname="%s"'


class Browser:
    """Keeps cookies, and fills in the hidden fields of the last form."""

    def __init__(self, nodes, email, password):
        self.nodes, self.email, self.password = nodes, email, password
        self.cookies, self.csrf = {}, ''

    def request(self, rng, method, path, fields=None):
        """Status, page and target of a redirect. The status 0 if there was no answer."""
        node = rng.choice(self.nodes)
        connection = http.client.HTTPConnection('127.0.0.1', node.port, timeout=30)
        headers = {'Cookie': '; '.join(f'{name}={value}' for name, value in self.cookies.items()),
                   'Origin': 'http://127.0.0.1:9999'}
        body = None
        if fields is not None:
            body = urllib.parse.urlencode({'csrf': self.csrf, **fields})
            headers['Content-Type'] = 'application/x-www-form-urlencoded'
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            page = response.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, '', ''
        finally:
            connection.close()
        for line in response.headers.get_all('Set-Cookie') or []:
            name, _, value = line.partition(';')[0].partition('=')
            self.cookies[name] = value
        self.csrf = field(page, 'csrf') or self.csrf
        return response.status, page, response.headers.get('Location', '')

    def sign_in(self, rng):
        self.request(rng, 'GET', '/login')
        status, _, _ = self.request(rng, 'POST', '/login', {'email': self.email, 'password': self.password})
        return status == 303

    def approve(self, rng, code):
        """Whether the server acknowledged the approval."""
        status, page, target = self.request(rng, 'POST', '/device', {'user_code': code, 'via': 'keyboard'})
        if status == 303 and '/login' in target:
            self.sign_in(rng)
            return False
        if status == 303:
            _, page, _ = self.request(rng, 'GET', target)
        ticket = field(page, 'ticket')
        if not ticket:
            # A form without the token of this session, or a server that is away.
            self.request(rng, 'GET', '/device')
            return False
        fields = {'ticket': ticket, 'user_code': field(page, 'user_code'), 'decision': 'approve', 'scope': 'tokens:read'}
        status, _, target = self.request(rng, 'POST', '/device/decide', fields)
        # A form that is not accepted leads back to its page.
        return status == 303 and target.startswith('/device/result')


def field(page, name):
    found = re.search(FIELD % (name, name), page)
    return html.unescape(found[1] or found[2]) if found else None


def sign_in_device(load, browser, rng):
    """One device, from its codes to its token."""
    name = load.ledger.next('f')
    fields = {'client_id': CLIENT, 'device_name': name, 'scope': 'tokens:read'}

    def begin(node):
        status, answer = node.json('/auth/device', fields)
        return answer if status == 200 else None
    codes = load.until_done(rng, begin)
    # An approval that was not acknowledged may have happened: then the code is used.
    if not codes or not any(browser.approve(rng, codes['user_code']) for _ in range(3)):
        return
    with load.ledger.lock:
        load.ledger.approved.add(name)
    poll = {'grant_type': GRANT, 'client_id': CLIENT, 'device_code': codes['device_code']}
    tokens = set()

    def wait_for_token(node):
        while not load.ended.is_set():
            status, answer = node.json('/auth/device/token', poll)
            if status == 200:
                tokens.add(answer['access_token'])
                return
            if status == 400 and answer.get('error') in ('authorization_pending', 'access_denied', 'expired_token'):
                load.ledger.violate('lost', f'approval of {name}: {answer["error"]}')
                return
            if status == 400 and answer.get('error') != 'slow_down':
                return
            # Beyond the interval, also if it has grown.
            load.ended.wait(7 if status == 400 else 1.5)
    pollers = [threading.Thread(target=wait_for_token, args=(rng.choice(load.nodes),)) for _ in range(2)]
    for poller in pollers:
        poller.start()
    for poller in pollers:
        poller.join()
    if len(tokens) > 1:
        load.ledger.violate('doubled', f'two tokens for the code of {name}')
    with load.ledger.lock:
        load.ledger.flows += bool(tokens)
