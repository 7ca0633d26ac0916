#!/usr/bin/python
# Copyright (c) The stekguard authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Asks the program stekguard what is found and what resumes."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
---
module: resumption_info
short_description: Look at the TLS session resumption of nginx and Apache httpd
version_added: 0.1.0
description:
  - Says what is wrong with TLS session resumption in the configuration of a host, and what
    resumes at every address and name.
  - Changes nothing.
extends_documentation_fragment:
  - stekguard.tls.program
options:
  pedantic:
    description:
      - Also findings that are of interest on request only.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: Can run in C(check_mode); nothing is changed either way.
  diff_mode:
    support: none
    description: Nothing is changed, so that there is nothing to show.
seealso:
  - module: stekguard.tls.resumption
'''

EXAMPLES = r'''
- name: Look at nginx
  stekguard.tls.resumption_info:
    path: /etc/nginx/nginx.conf
    detect: true
  register: tls

- name: Refuse to go on where tickets have no rotating key
  ansible.builtin.assert:
    that:
      - tls.complete
      - tls.lint.findings | selectattr('severity', 'in', ['error', 'warning']) | length == 0
'''

RETURN = r'''
complete:
  description:
    - Whether everything was read. Where it is false, nothing may be called clean.
  returned: success
  type: bool
  sample: true
lint:
  description:
    - The findings, as C(stekguard lint --format json) prints them (schema C(stekguard-lint/1)).
  returned: success
  type: dict
  sample:
    schema: stekguard-lint/1
    complete: true
    findings: []
inspect:
  description:
    - What resumes, as C(stekguard inspect --format json) prints it (schema
      C(stekguard-inspect/1)).
  returned: success
  type: dict
  sample:
    schema: stekguard-inspect/1
    complete: true
    servers: []
'''

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.stekguard.tls.plugins.module_utils.program import COMMON, call


def main():
    """Declares the options and makes the call."""
    module = AnsibleModule(
        argument_spec=dict(
            COMMON,
            pedantic={'type': 'bool', 'default': False},
        ),
        supports_check_mode=True,
    )
    call(module, 'resumption_info')


if __name__ == '__main__':
    main()
