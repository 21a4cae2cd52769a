"""Builds the Debian package from `[package.metadata.deb]` of Cargo.toml, which cargo-deb reads too.

    release/deb.py PROGRAM FOLDER OUT

FOLDER has the completions and man pages of the program. It needs dpkg-deb, and no network.
"""

import gzip
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Where the assets name files that a build makes.
PROGRAM, MADE = 'target/release/doorcode', 'target/package/'


def compress(path):
    """Debian wants man pages and change logs compressed."""
    # Without a time in it, so that the same sources give the same package.
    path.with_name(path.name + '.gz').write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
    path.unlink()


def install(assets, sources, root):
    for pattern, target, mode in assets:
        if pattern == PROGRAM:
            files = [sources['program']]
        elif pattern.startswith(MADE):
            files = sorted(sources['made'].glob(pattern.removeprefix(MADE)))
        else:
            files = sorted(path for path in ROOT.glob(pattern) if path.is_file())
        if not files:
            raise SystemExit(f'{pattern}: no such file')
        # As in cargo-deb: what a pattern leaves open is kept below the target.
        base = pattern.partition('*')[0].rpartition('/')[0]
        for file in files:
            name = target + file.name if target.endswith('/') else target
            if '**' in pattern:
                name = target + str(file.relative_to(ROOT / base))
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, path)
            path.chmod(int(mode, 8))
            if '/man/' in name:
                compress(path)


def control(package, deb, size):
    architecture = subprocess.run(['dpkg', '--print-architecture'], check=True, text=True,
                                  stdout=subprocess.PIPE).stdout.strip()
    described = ''.join(f' {line or "."}\n' for line in deb['extended-description'].strip().splitlines())
    return (f"Package: {package['name']}\nVersion: {package['version']}-1\nArchitecture: {architecture}\n"
            f"Maintainer: {deb['maintainer']}\nInstalled-Size: {size}\nDepends: {deb['depends']}\n"
            f"Section: {deb['section']}\nPriority: {deb['priority']}\nDescription: {package['description']}\n{described}")


def main():
    program, made, out = map(pathlib.Path, sys.argv[1:])
    manifest = tomllib.loads((ROOT / 'Cargo.toml').read_text())
    package = manifest['package'] | {'version': manifest['workspace']['package']['version']}
    deb = package['metadata']['deb']
    scratch = pathlib.Path(tempfile.mkdtemp())
    try:
        root = scratch / 'root'
        install(deb['assets'], {'program': program, 'made': made}, root)
        size = sum(path.stat().st_size for path in root.rglob('*') if path.is_file()) // 1024
        meta = root / 'DEBIAN'
        meta.mkdir()
        (meta / 'control').write_text(control(package, deb, size))
        (meta / 'conffiles').write_text(''.join(f'{path}\n' for path in deb['conf-files']))
        for script in ('postinst', 'prerm', 'postrm'):
            shutil.copyfile(ROOT / deb['maintainer-scripts'] / script, meta / script)
            (meta / script).chmod(0o755)
        for path in root.rglob('*'):
            if path.is_dir():
                path.chmod(0o755)
        root.chmod(0o755)
        architecture = subprocess.run(['dpkg', '--print-architecture'], check=True, text=True,
                                      stdout=subprocess.PIPE).stdout.strip()
        name = f"{package['name']}_{package['version']}-1_{architecture}.deb"
        # dpkg-deb takes the time of the files from SOURCE_DATE_EPOCH.
        level = os.environ.get('COMPRESSION', '9')
        subprocess.run(['dpkg-deb', '--root-owner-group', '-Zxz', f'-z{level}', '--build', root, out / name],
                       check=True, stdout=sys.stderr)
    finally:
        shutil.rmtree(scratch)


if __name__ == '__main__':
    main()
