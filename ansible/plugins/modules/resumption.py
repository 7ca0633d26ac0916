#!/usr/bin/python
# Copyright (c) The stekguard authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Asks the program stekguard to bring a host's configuration to a policy."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
---
module: resumption
short_description: Bring the TLS session resumption of nginx and Apache httpd to a policy
version_added: 0.1.0
description:
  - Makes the smallest change to the files of a server after which the policy is met, at every
    address and name for which a safe repair exists.
  - All files change or none. What was not read completely is not changed, and the task fails.
  - A running server is left alone. RV(go_live) says what makes the change live.
extends_documentation_fragment:
  - stekguard.tls.program
options:
  policy:
    description:
      - What resumption has to look like, V(no-tickets) where neither this nor O(profile) says
        otherwise.
  unsafe_fixes:
    description:
      - Also repairs that may change more than the policy asks for.
    type: bool
    default: false
  force:
    description:
      - Also edit files that say that another tool manages them.
    type: bool
    default: false
  apache_directive:
    description:
      - How tickets of Apache httpd are turned off. V(session-tickets) is C(SSLSessionTickets
        off), V(conf-command) is C(SSLOpenSSLConfCmd Options -SessionTicket). V(auto), which is
        taken where the settings say nothing else, takes the second one where the virtual host
        uses it already.
    type: str
    choices: [auto, session-tickets, conf-command]
  backup:
    description:
      - Keep a copy of every file as it was before it changes. The copies lie in the state
        directory (C(/var/lib/stekguard/backup) for root), because a server that includes a
        whole folder would read a copy beside the file.
      - Without it, C(stekguard undo) on the host takes the change back all the same.
    type: bool
    default: false
  validate:
    description:
      - The server's own test, run on a shadow of the tree before a change is kept. V(auto) runs
        it for the configuration that the installed server was built for, V(always) for every
        one, V(never) for none; anything else is a command of the shell, which finds the root
        file in C(STEKGUARD_CONFIG).
      - Where the test fails, nothing is changed.
    type: str
    default: auto
  fail_on:
    description:
      - Fail, and change nothing, when a finding of this grade or a worse one would remain.
      - Findings that remain are warnings of the task in any case.
    type: str
    choices: [error, warning, note, never]
    default: never
attributes:
  check_mode:
    support: full
    description: Says what would change and changes nothing.
  diff_mode:
    support: full
    description: Shows every file before and after.
seealso:
  - module: stekguard.tls.resumption_info
  - module: stekguard.tls.ticket_keys
'''

EXAMPLES = r'''
- name: Turn stateless tickets off in nginx
  stekguard.tls.resumption:
    path: /etc/nginx/nginx.conf
    policy: no-tickets
    detect: true
  register: tls

- name: Reload nginx where that makes it live
  ansible.builtin.service:
    name: nginx
    state: reloaded
  when: tls is changed and tls.go_live == 'reload'
'''

RETURN = r'''
files:
  description: The files that change, in the order in which the server reads them.
  returned: success
  type: list
  elements: str
  sample: [/etc/nginx/nginx.conf]
go_live:
  description:
    - What makes the change live, V(reload) or V(stop-and-start); null where nothing changes.
    - Where it is V(stop-and-start), a reload would end the server although its own test of
      the configuration passes.
  returned: success
  type: str
  sample: reload
patch:
  description: The change as C(git apply) and C(patch -p1) take it, rule and reason included.
  returned: success
  type: str
  sample: ''
costs:
  description: What the change costs, a sentence each.
  returned: success
  type: list
  elements: str
  sample: [returning clients do a full handshake wherever no session cache is configured]
notes:
  description: What a reader of the patch should know, a sentence each.
  returned: success
  type: list
  elements: str
  sample: []
refused:
  description: What was not repaired, with the reason.
  returned: success
  type: list
  elements: str
  sample: []
left:
  description: Findings that remain with the change, a sentence each.
  returned: success
  type: list
  elements: str
  sample: []
complete:
  description: Whether everything was read. Nothing changes where it is false.
  returned: success
  type: bool
  sample: true
backup_files:
  description: Each changed file with its copy.
  returned: when O(backup=true) and something changed
  type: dict
  sample:
    /etc/nginx/nginx.conf: /var/lib/stekguard/backup/1795297465/etc/nginx/nginx.conf
validated:
  description: Roots that the server's own test has passed with the change.
  returned: when something changed
  type: list
  elements: str
  sample: [/etc/nginx/nginx.conf]
not_validated:
  description: Roots that were not tested, each with the reason.
  returned: when something changed
  type: dict
  sample: {}
'''

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.stekguard.tls.plugins.module_utils.program import COMMON, call


def main():
    """Declares the options and makes the call."""
    module = AnsibleModule(
        argument_spec=dict(
            COMMON,
            unsafe_fixes={'type': 'bool', 'default': False},
            force={'type': 'bool', 'default': False},
            apache_directive={
                'type': 'str',
                'choices': ['auto', 'session-tickets', 'conf-command'],
            },
            backup={'type': 'bool', 'default': False},
            validate={'type': 'str', 'default': 'auto'},
            fail_on={
                'type': 'str',
                'choices': ['error', 'warning', 'note', 'never'],
                'default': 'never',
            },
        ),
        supports_check_mode=True,
    )
    call(module, 'resumption')


if __name__ == '__main__':
    main()
