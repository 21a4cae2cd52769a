"""What a release ships: archives, Debian package, bill of materials, and the image, built and run.

The programs are those of the tests, so that no build of the profile `dist` is needed. The image needs
root and buildah.
"""

import hashlib
import json
import os
import pathlib
import signal
import subprocess
import tarfile
import tempfile
import time
import tomllib
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get('DOORCODE_BIN', ROOT / 'target/debug/doorcode'))
VERSION = tomllib.loads((ROOT / 'Cargo.toml').read_text())['workspace']['package']['version']
PATIENCE = 60


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **options)
    return done.returncode, done.stdout


def build(out, **settings):
    environment = os.environ | {'PROGRAM': str(BINARY), 'CLIENT': str(BINARY.with_name('doorcode-client')),
                                'SOURCE_DATE_EPOCH': '1700000000', 'COMPRESSION': '1'} | settings
    status, said = run(ROOT / 'release/build', out, env=environment)
    assert status == 0, said


def sums(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in pathlib.Path(folder).iterdir()}


class Artefacts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.out = pathlib.Path(cls.scratch.name) / 'first'
        build(cls.out, NO_IMAGE='1')

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def one(self, pattern):
        found, = self.out.glob(pattern)
        return found

    def test_checksums_fit_and_the_same_sources_give_the_same_files(self):
        listed = dict(reversed(line.split('  ')) for line in (self.out / 'SHA256SUMS').read_text().splitlines())
        found = sums(self.out)
        del found['SHA256SUMS']
        self.assertEqual(listed, found)
        again = pathlib.Path(self.scratch.name) / 'second'
        build(again, NO_IMAGE='1')
        self.assertEqual(sums(again), sums(self.out))

    def test_archives_have_program_completions_and_man_pages(self):
        for kind in ('doorcode-[0-9]*', 'doorcode-client-*'):
            with tarfile.open(self.one(f'{kind}.tar.gz')) as archive:
                names = {name.partition('/')[2] for name in archive.getnames()}
                owners = {(member.uid, member.gid) for member in archive}
            self.assertEqual(owners, {(0, 0)})
            for name in ('doorcode', 'LICENSE', 'completions/doorcode.bash', 'completions/doorcode.zsh',
                         'completions/doorcode.fish', 'man/doorcode.1', 'man/doorcode-login.1'):
                self.assertIn(name, names, kind)
            self.assertEqual('man/doorcode-serve.1' in names, 'client' not in kind)

    def test_bill_of_materials_has_each_crate_with_licence_and_checksum(self):
        bill = json.loads(self.one('*.cdx.json').read_text())
        self.assertEqual((bill['bomFormat'], bill['specVersion']), ('CycloneDX', '1.5'))
        self.assertEqual(bill['metadata']['component']['version'], VERSION)
        components = {component['bom-ref']: component for component in bill['components']}
        self.assertEqual(len(components), len(bill['components']))
        known = set(components) | {bill['metadata']['component']['bom-ref']}
        for edge in bill['dependencies']:
            self.assertLessEqual({edge['ref'], *edge['dependsOn']}, known)
        for name in ('actix-web', 'diesel', 'sqlite', 'libpq', 'doorcode-store'):
            self.assertTrue(any(component['name'] == name for component in components.values()), name)
        locked = tomllib.loads((ROOT / 'Cargo.lock').read_text())['package']
        checksums = {(entry['name'], entry['version']): entry.get('checksum') for entry in locked}
        for ref, component in components.items():
            self.assertTrue(component['licenses'] and component['version'], component)
            if ref.startswith('pkg:cargo/'):
                checksum = checksums[component['name'], component['version']]
                found = component.get('hashes', [{'content': None}])[0]['content']
                self.assertEqual(found, checksum, component)
        # Crates of the tests do not ship.
        self.assertFalse(any(component['name'] == 'proptest' for component in components.values()))

    def test_debian_package_has_service_configuration_and_program(self):
        package = self.one('doorcode_*.deb')
        status, about = run('dpkg-deb', '--info', package)
        self.assertEqual(status, 0, about)
        for line in ('Package: doorcode', f'Version: {VERSION}-1'):
            self.assertIn(line, about)
        # An upgrade keeps what the operator has changed there.
        status, kept = run('dpkg-deb', '--info', package, 'conffiles')
        self.assertEqual((status, kept), (0, '/etc/doorcode/doorcode.toml\n'))
        folder = pathlib.Path(self.scratch.name) / 'installed'
        status, said = run('dpkg-deb', '--extract', package, folder)
        self.assertEqual(status, 0, said)
        for name in ('usr/lib/systemd/system/doorcode.service', 'usr/lib/systemd/system/doorcode.socket',
                     'usr/share/man/man1/doorcode.1.gz', 'usr/share/bash-completion/completions/doorcode',
                     'usr/share/doc/doorcode/copyright', 'usr/share/doc/doorcode/examples/monitoring/alerts.yml'):
            self.assertTrue((folder / name).is_file(), name)
        # The service starts the program and reads the configuration of the package.
        unit = (folder / 'usr/lib/systemd/system/doorcode.service').read_text()
        self.assertIn('ExecStart=/usr/bin/doorcode serve --config /etc/doorcode/doorcode.toml', unit)
        status, said = run(folder / 'usr/bin/doorcode', 'config', 'check', '--config',
                           folder / 'etc/doorcode/doorcode.toml', cwd=folder)
        self.assertEqual(status, 0, said)
        for script in ('postinst', 'prerm', 'postrm'):
            status, said = run('sh', '-n', ROOT / 'release/debian' / script)
            self.assertEqual(status, 0, said)


class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.options = ['--storage-driver', 'vfs', '--root', f'{cls.scratch.name}/storage', '--runroot',
                       f'{cls.scratch.name}/run']
        status, said = run(ROOT / 'release/image', BINARY, 'doorcode:test',
                           env=os.environ | {'BUILDAH_OPTIONS': ' '.join(cls.options)})
        assert status == 0, said
        status, name = cls.buildah('from', '--pull-never', 'doorcode:test')
        assert status == 0, name
        cls.container = name.split()[-1]

    @classmethod
    def tearDownClass(cls):
        cls.buildah('rm', '--all')
        cls.buildah('rmi', '--all', '--force')
        cls.scratch.cleanup()

    @classmethod
    def buildah(cls, *arguments):
        return run('buildah', *cls.options, *arguments)

    @classmethod
    def command(cls, *arguments):
        """A command that runs a program in the container."""
        return ['buildah', *cls.options, 'run', '--isolation', 'chroot', cls.container, '--', *arguments]

    def test_image_runs_as_a_user_and_checks_its_health(self):
        status, said = self.buildah('inspect', '--type', 'image', 'doorcode:test')
        self.assertEqual(status, 0, said)
        config = json.loads(said)['Docker']['config']
        self.assertEqual(config['User'], '10001:10001')
        self.assertEqual(config['Entrypoint'], ['/usr/bin/doorcode'])
        self.assertEqual(config['Cmd'], ['serve'])
        self.assertEqual(config['Healthcheck']['Test'], ['CMD', '/usr/bin/doorcode', 'healthcheck'])
        self.assertIn('/var/lib/doorcode', config['Volumes'])
        self.assertIn('8080/tcp', config['ExposedPorts'])
        self.assertEqual(config['Labels']['org.opencontainers.image.version'], VERSION)

    def test_image_has_no_shell(self):
        for shell in ('/bin/sh', '/bin/bash', '/bin/busybox'):
            status, said = run(*self.command(shell, '-c', 'true'))
            self.assertNotEqual(status, 0)
            self.assertIn('no such file', said)

    def test_container_serves_and_stops(self):
        with tempfile.TemporaryFile('w+') as log:
            server = subprocess.Popen(self.command('/usr/bin/doorcode', 'serve'), stdout=log, stderr=log,
                                      start_new_session=True)
            try:
                checked = self.health_until(0)
                log.seek(0)
                self.assertEqual(checked[0], 0, checked[1] + log.read())
                status, said = run(*self.command('/usr/bin/doorcode', 'healthcheck', '--ready'))
                self.assertEqual(status, 0, said)
                processes = self.processes(server.pid)
                self.assertTrue(processes)
                for process in processes:
                    users = pathlib.Path(f'/proc/{process}/status').read_text()
                    self.assertIn('Uid:\t10001\t10001\t10001\t10001', users)
                    os.kill(process, signal.SIGTERM)
                self.assertEqual(server.wait(PATIENCE), 0)
                # What was served is gone, and the check says so.
                self.assertEqual(self.health_until(1)[0], 1)
            finally:
                if server.poll() is None:
                    os.killpg(server.pid, signal.SIGKILL)
                    server.wait()

    def health_until(self, expected):
        deadline = time.monotonic() + PATIENCE
        while True:
            checked = run(*self.command('/usr/bin/doorcode', 'healthcheck'))
            if checked[0] == expected or time.monotonic() > deadline:
                return checked

    def processes(self, ancestor):
        """The servers of the container, which are descendants of the program that runs it."""
        parents, commands = {}, {}
        for folder in pathlib.Path('/proc').glob('[0-9]*'):
            try:
                process = int(folder.name)
                commands[process] = (folder / 'cmdline').read_bytes().split(b'\0')
                parents[process] = int((folder / 'stat').read_text().rpartition(')')[2].split()[1])
            except OSError:
                continue

        def is_below(process):
            while process and process != ancestor:
                process = parents.get(process, 0)
            return bool(process)
        return [process for process, command in commands.items()
                if command[:2] == [b'/usr/bin/doorcode', b'serve'] and is_below(process)]


if __name__ == '__main__':
    unittest.main(verbosity=2)
