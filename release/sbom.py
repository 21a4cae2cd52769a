"""Prints the bill of materials of the shipped programs, in CycloneDX 1.5, from Cargo's own metadata.

It has each crate that is linked for this machine with the default features, with its licence, its
checksum and what it depends on, and the C libraries that crates bring with them.
"""

import json
import pathlib
import subprocess
import sys
import tomllib
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[1]

# Sources in C that a crate compiles: its name, then name, licence and how the version is found.
BUNDLED = {
    'libsqlite3-sys': ('sqlite', 'blessing', ('sqlite3/sqlite3.h', '#define SQLITE_VERSION ')),
    'pq-src': ('libpq', 'PostgreSQL', None),
}


def cargo(*arguments):
    command = ['cargo', *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def shipped(metadata):
    """The packages that are linked, and what each depends on."""
    nodes = {node['id']: node for node in metadata['resolve']['nodes']}
    names = {package['id']: package['name'] for package in metadata['packages']}
    waiting = [id for id in metadata['workspace_members'] if names[id] in ('doorcode', 'doorcode-client')]
    edges = {}
    while waiting:
        id = waiting.pop()
        if id in edges:
            continue
        edges[id] = [dependency['pkg'] for dependency in nodes[id]['deps']
                     if any(kind['kind'] is None for kind in dependency['dep_kinds'])]
        waiting += edges[id]
    return edges


def bundled(package):
    """The component of the C sources in a package; `None` without any."""
    if package['name'] not in BUNDLED:
        return None
    name, licence, source = BUNDLED[package['name']]
    version = package['version'].rpartition('+libpq-')[2]
    if source:
        file, start = source
        text = (pathlib.Path(package['manifest_path']).parent / file).read_text()
        version = text.split(start, 1)[1].split('"')[1]
    licences = [{'license': {'name': licence}}]
    return {'type': 'library', 'bom-ref': f'bundled:{name}', 'name': name, 'version': version, 'licenses': licences}


def main():
    host = next(line.split()[1] for line in subprocess.run(
        ['rustc', '-vV'], check=True, text=True, stdout=subprocess.PIPE).stdout.splitlines() if line.startswith('host'))
    metadata = json.loads(cargo('metadata', '--locked', '--format-version=1', f'--filter-platform={host}'))
    locked = tomllib.loads((ROOT / 'Cargo.lock').read_text())['package']
    checksums = {(entry['name'], entry['version']): entry.get('checksum') for entry in locked}
    packages = {package['id']: package for package in metadata['packages']}
    edges = shipped(metadata)
    main_package = next(package for package in packages.values() if package['name'] == 'doorcode' and not package['source'])
    components, dependencies = [], []
    for id in sorted(edges, key=lambda id: purl(packages[id])):
        package = packages[id]
        depends = sorted(purl(packages[other]) for other in edges[id])
        if extra := bundled(package):
            components.append(extra)
            depends.append(extra['bom-ref'])
        dependencies.append({'ref': purl(package), 'dependsOn': depends})
        if package is main_package:
            continue
        component = {'type': 'library', 'bom-ref': purl(package), 'name': package['name'],
                     'version': package['version'], 'purl': purl(package)}
        if package['license']:
            component['licenses'] = [{'expression': package['license'].replace('/', ' OR ')}]
        if checksum := checksums[package['name'], package['version']]:
            component['hashes'] = [{'alg': 'SHA-256', 'content': checksum}]
        if package['repository']:
            component['externalReferences'] = [{'type': 'vcs', 'url': package['repository']}]
        components.append(component)
    program = {'type': 'application', 'bom-ref': purl(main_package), 'name': 'doorcode',
               'version': main_package['version'], 'licenses': [{'expression': main_package['license']}]}
    document = {'bomFormat': 'CycloneDX', 'specVersion': '1.5', 'version': 1,
                'metadata': {'component': program}, 'components': components, 'dependencies': dependencies}
    # The same sources give the same document.
    document['serialNumber'] = f'urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document, sort_keys=True))}'
    json.dump(document, sys.stdout, indent=1)
    sys.stdout.write('\n')


if __name__ == '__main__':
    main()
