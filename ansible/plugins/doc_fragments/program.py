# Copyright (c) The stekguard authors
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Options that every module of the collection has."""

from __future__ import absolute_import, division, print_function

__metaclass__ = type


class ModuleDocFragment(object):
    """Options that every module of the collection has."""

    DOCUMENTATION = r'''
options:
  path:
    description:
      - Root files of the server, or directories to search for them.
      - Without any, the usual places of nginx and Apache httpd on the host.
    type: list
    elements: path
    default: []
  policy:
    description:
      - What resumption has to look like.
      - V(sound) asks for resumption off, or stateless tickets off with a bounded cache, or
        ticket keys that rotate.
      - V(no-tickets) asks for no stateless tickets.
      - V(no-resumption) asks that nothing resumes.
      - V(rotate) asks for tickets under keys that C(stekguard keys) replaces (nginx).
      - V(automatic) asks for tickets under keys that nginx replaces itself.
    type: str
    choices: [sound, no-tickets, no-resumption, rotate, automatic]
  profile:
    description:
      - A known demand. It sets the policy, where O(policy) does not, and the longest lifetime.
    type: str
    choices: [cis-2, cis-3, mozilla]
  keys_dir:
    description:
      - The folder on the host where rotated ticket keys of nginx are listed. By default that of
        the settings, or C(/run/stekguard/keys/nginx).
    type: path
  server_version:
    description:
      - Versions to judge for, such as V(nginx=1.28.3), V(apache=2.4.71) or V(openssl=3.0).
      - Without any, the version of the package that owns the server, where dpkg knows it.
    type: list
    elements: str
    default: []
  package:
    description:
      - Package versions, which tell what a distribution has patched, such as
        V(nginx=1.22.1-9+deb12u11).
    type: list
    elements: str
    default: []
  define:
    description:
      - What Apache httpd is started with by C(-D), as C(stekguard lint --define) takes it.
    type: list
    elements: str
    default: []
  modules:
    description:
      - All modules of Apache httpd, or V(@FILE) with what C(apachectl -M) prints.
    type: list
    elements: str
    default: []
  detect:
    description:
      - Ask the installed servers for their versions, and Apache httpd for its modules and
        definitions. This runs the servers' programs.
    type: bool
    default: false
  allow_missing:
    description:
      - Globs of includes that may be missing.
    type: list
    elements: str
    default: []
  rule:
    description:
      - Only these rules. C(stekguard rules) lists them.
    type: list
    elements: str
    default: []
  config:
    description:
      - Settings on the host to take instead of the nearest C(stekguard.toml) above O(path). What
        the task says is above them; C(/etc/stekguard/stekguard.toml) is below them.
    type: path
  isolated:
    description:
      - Take no settings but those of O(config).
    type: bool
    default: false
  executable:
    description:
      - The program, by its name or its path on the host.
    type: path
    default: stekguard
requirements:
  - stekguard of the same release on the host
author:
  - The stekguard authors (@stekguard)
'''
