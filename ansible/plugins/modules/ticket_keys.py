#!/usr/bin/python
# Copyright (c) The stekguard authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Asks the program stekguard to make and rotate the ticket keys of nginx."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
---
module: ticket_keys
short_description: Make and rotate the TLS ticket keys of nginx
version_added: 0.1.0
description:
  - Makes keys where there are none, rotates them where the schedule asks for it, or replaces
    them all.
  - New keys are tested by nginx, loaded by a reload and checked by real handshakes. What does
    not go live is taken back, and the task fails.
  - Keys are named by the first 8 bytes of their SHA-256. Their bytes never leave the host, nor
    the program.
  - Hourly rotation is the work of a timer on the host; the role P(stekguard.tls.rotate#role) sets it up.
options:
  state:
    description:
      - V(present) makes keys where there are none, and changes them where that is due.
      - V(rotated_now) replaces every key at once, for a key that has leaked. Sessions of before
        do not resume any more, or the task fails and says what is left to do.
    type: str
    choices: [present, rotated_now]
    default: present
  dir:
    description:
      - The folder of keys, in memory that is never swapped. By default that of the settings, or
        C(/run/stekguard/keys/nginx).
    type: path
  layout:
    description:
      - V(nginx80) is AES-256, V(nginx48) is AES-128.
    type: str
    choices: [nginx80, nginx48]
    default: nginx80
  preset:
    description:
      - Start from a plan with a name.
    type: str
    choices: [hourly, published-2015]
  interval:
    description:
      - How long one key encrypts, such as V(1h). By default that of the settings, as with the
        other parts of the plan.
    type: str
  ahead:
    description:
      - How many coming keys are loaded to decrypt.
    type: int
  previous:
    description:
      - How many past keys are kept to decrypt.
    type: int
  lifetime:
    description:
      - How long a session may resume, C(ssl_session_timeout).
    type: str
  skew:
    description:
      - How late a change may be.
    type: str
  config:
    description:
      - Settings on the host to take instead of the nearest C(stekguard.toml); C([rotation]) is
        read.
    type: path
  isolated:
    description:
      - Take no settings but those of O(config).
    type: bool
    default: false
  server_config:
    description:
      - The root of nginx' configuration, which says where tickets under these keys are issued.
    type: path
    default: /etc/nginx/nginx.conf
  pid_file:
    description:
      - Where nginx writes the number of its first process.
    type: path
    default: /run/nginx.pid
  check:
    description:
      - Where to ask for tickets, such as V(127.0.0.1:443=www.example.com). By default where
        O(server_config) uses the keys.
    type: list
    elements: str
    default: []
  client_cert:
    description:
      - The certificate to show to nginx (PEM).
    type: path
  client_key:
    description:
      - The file of its key (PEM).
    type: path
  proxy_protocol:
    description:
      - Nginx expects a line of the PROXY protocol first.
    type: bool
    default: false
  test_command:
    description:
      - The shell command that tests the configuration; an empty one tests nothing.
    type: str
    default: nginx -t -q
  reload_command:
    description:
      - The shell command that reloads nginx. By default its first process is signalled.
    type: str
  restart_command:
    description:
      - For O(state=rotated_now), the shell command that stops and starts nginx.
    type: str
  leave_server:
    description:
      - Write keys only, where nginx is not started yet. Neither test nor reload nor check.
    type: bool
    default: false
  no_check:
    description:
      - Do not ask nginx for tickets.
    type: bool
    default: false
  patience:
    description:
      - The longest that a command or a reload may take.
    type: str
    default: 30s
  cache:
    description:
      - A shared session cache of this size, such as V(10m), stands beside the keys, and ends
        with them at O(state=rotated_now).
    type: str
  when_missing:
    description:
      - What becomes of tickets when no key comes.
    type: str
    choices: [ratchet, local-random, tickets-off]
    default: ratchet
  allow_disk:
    description:
      - Let keys lie on a disk. They can be read from it long after they were replaced, so that
        every later run warns of it.
    type: bool
    default: false
  executable:
    description:
      - The program, by its name or its path on the host.
    type: path
    default: stekguard
requirements:
  - stekguard of the same release on the host
  - Linux 6.4, or no swap
author:
  - The stekguard authors (@stekguard)
attributes:
  check_mode:
    support: full
    description: Says whether keys would change and changes nothing.
  diff_mode:
    support: full
    description: Shows the ids of the keys before and after. In check mode the new ones are not made yet.
seealso:
  - module: stekguard.tls.resumption
'''

EXAMPLES = r'''
- name: Keys are there
  stekguard.tls.ticket_keys:
    state: present

- name: A key has leaked
  stekguard.tls.ticket_keys:
    state: rotated_now
    restart_command: systemctl restart nginx
'''

RETURN = r'''
directory:
  description: The folder of keys.
  returned: success
  type: str
  sample: /run/stekguard/keys/nginx
include:
  description: What nginx has to include.
  returned: success
  type: str
  sample: /run/stekguard/keys/nginx/*.conf
encrypts:
  description: The key that encrypts, its id, slot, generation and file; null where there is none.
  returned: success
  type: dict
  sample:
    id: 0123456789abcdef
    slot: 494321
    generation: 0
    path: /run/stekguard/keys/nginx/494321-0-0123456789abcdef.key
decrypts:
  description: The other keys that are loaded, in the order of the server.
  returned: success
  type: list
  elements: dict
  sample: []
status:
  description:
    - How the keys stand, as C(stekguard keys status --format json) prints it (schema
      C(stekguard-keys-status/1)); null where there is no folder yet.
  returned: success
  type: dict
  sample:
    schema: stekguard-keys-status/1
reloaded:
  description: Whether nginx took in new keys.
  returned: success
  type: bool
  sample: true
live_check:
  description:
    - What real handshakes showed. The C(result) is V(verified), V(not-checkable) or V(wrong).
  returned: when nginx was asked; not in check mode where keys would change
  type: dict
  sample:
    result: verified
    text: 2 tickets are under the current key
done:
  description: What was done, a line each, with ids alone.
  returned: when not in check mode
  type: list
  elements: str
  sample: []
left:
  description: What is left to do, a sentence each.
  returned: when not in check mode
  type: list
  elements: str
  sample: []
'''

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.stekguard.tls.plugins.module_utils.program import call


def main():
    """Declares the options and makes the call."""
    module = AnsibleModule(
        argument_spec={
            'state': {'type': 'str', 'choices': ['present', 'rotated_now'], 'default': 'present'},
            'dir': {'type': 'path'},
            'layout': {'type': 'str', 'choices': ['nginx80', 'nginx48'], 'default': 'nginx80'},
            'preset': {'type': 'str', 'choices': ['hourly', 'published-2015']},
            'interval': {'type': 'str'},
            'ahead': {'type': 'int'},
            'previous': {'type': 'int'},
            'lifetime': {'type': 'str'},
            'skew': {'type': 'str'},
            'config': {'type': 'path'},
            'isolated': {'type': 'bool', 'default': False},
            'server_config': {'type': 'path', 'default': '/etc/nginx/nginx.conf'},
            'pid_file': {'type': 'path', 'default': '/run/nginx.pid'},
            'check': {'type': 'list', 'elements': 'str', 'default': []},
            'client_cert': {'type': 'path'},
            # The path of a file, which is no secret.
            'client_key': {'type': 'path', 'no_log': False},
            'proxy_protocol': {'type': 'bool', 'default': False},
            'test_command': {'type': 'str', 'default': 'nginx -t -q'},
            'reload_command': {'type': 'str'},
            'restart_command': {'type': 'str'},
            'leave_server': {'type': 'bool', 'default': False},
            'no_check': {'type': 'bool', 'default': False},
            'patience': {'type': 'str', 'default': '30s'},
            'cache': {'type': 'str'},
            'when_missing': {
                'type': 'str',
                'choices': ['ratchet', 'local-random', 'tickets-off'],
                'default': 'ratchet',
            },
            'allow_disk': {'type': 'bool', 'default': False},
            'executable': {'type': 'path', 'default': 'stekguard'},
        },
        required_together=[('client_cert', 'client_key')],
        supports_check_mode=True,
    )
    call(module, 'ticket_keys')


if __name__ == '__main__':
    main()
