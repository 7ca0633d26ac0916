# Copyright (c) The stekguard authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Hands a module's arguments to the program stekguard and its answer to Ansible.

Decides nothing: what the arguments mean is known by the program alone.
"""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json

# The form of the documents; the program refuses another one.
PROTOCOL = 1

COMMON = {
    'path': {'type': 'list', 'elements': 'path', 'default': []},
    'policy': {'type': 'str', 'choices': ['sound', 'no-tickets', 'no-resumption', 'rotate', 'automatic']},
    'profile': {'type': 'str', 'choices': ['cis-2', 'cis-3', 'mozilla']},
    'keys_dir': {'type': 'path'},
    'server_version': {'type': 'list', 'elements': 'str', 'default': []},
    'package': {'type': 'list', 'elements': 'str', 'default': []},
    'define': {'type': 'list', 'elements': 'str', 'default': []},
    'modules': {'type': 'list', 'elements': 'str', 'default': []},
    'detect': {'type': 'bool', 'default': False},
    'allow_missing': {'type': 'list', 'elements': 'str', 'default': []},
    'rule': {'type': 'list', 'elements': 'str', 'default': []},
    'config': {'type': 'path'},
    'isolated': {'type': 'bool', 'default': False},
    'executable': {'type': 'path', 'default': 'stekguard'},
}


def call(module, name):
    """Runs the program for this module and ends the module with its answer."""
    arguments = dict(module.params)
    executable = arguments.pop('executable')
    program = module.get_bin_path(executable)
    if program is None:
        module.fail_json(
            msg='%s is not on this host; the role stekguard.tls.install puts it there' % executable
        )
    document = {
        'protocol': PROTOCOL,
        'module': name,
        'check_mode': module.check_mode,
        'diff': bool(getattr(module, '_diff', False)),
        'arguments': arguments,
    }
    command = [program, 'ansible', 'run']
    try:
        code, out, err = module.run_command(
            command, data=json.dumps(document), handle_exceptions=False
        )
    except (IOError, OSError) as error:
        # Another program may be gone before it has read anything.
        code, out, err = error.errno, '', str(error)
    try:
        answer = json.loads(out)
    except ValueError:
        module.fail_json(
            msg='%s gave no answer; is it a stekguard with `ansible run`?' % program,
            rc=code, stdout=out, stderr=err,
        )
    for warning in answer.pop('warnings', []):
        module.warn(warning)
    if answer.pop('failed', False):
        module.fail_json(**answer)
    module.exit_json(**answer)
