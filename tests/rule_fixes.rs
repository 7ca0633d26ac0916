//! What the fixes of all rules together promise, on generated configurations: under
//! `no-tickets` no stateless ticket resumes afterwards, under `no-resumption` nothing does, under
//! `rotate` and `automatic` every ticket has the keys that are asked for, whatever version is
//! judged, and fixing again changes nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use stekguard::catalog::{self, Server, Version};
use stekguard::finding::{Applicability, Finding, Fix, Severity};
use stekguard::fix::{self, Options, Proposal};
use stekguard::model::{self, Assumed, KeySource, Platform, Site, VersionSource};
use stekguard::policy::{Goal, Policy};
use stekguard::rules::{self, Context};
use stekguard::source::{self, LoadOptions, Memory, Project, Root};

const TREES: u64 = 150;
/// What the plan of a rotation says, in its words and in seconds.
const FIRST_KEY: &str = "/run/stekguard/keys/nginx/current.key";
const LIFETIME: u64 = 18 * 60 * 60;
/// The versions in which CVE-2026-97629 was fixed; before them nobody may be led to nginx's own
/// keys.
const FIXED_STABLE: Version = Version::new(1, 30, 6);
const FIXED_MAINLINE: Version = Version::new(1, 31, 7);

#[test]
fn nginx_trees_meet_the_policy_after_the_fix() {
    let made = |seed| nginx_tree(&mut Dice(seed));
    meets(Server::Nginx, "/etc/nginx/nginx.conf", &made);
}

#[test]
fn httpd_trees_meet_the_policy_after_the_fix() {
    let made = |seed| httpd_tree(&mut Dice(seed));
    meets(Server::Apache, "/etc/httpd/conf/httpd.conf", &made);
}

fn meets(server: Server, path: &str, tree: &dyn Fn(u64) -> String) {
    let mut changed = 0;
    let mut worse = Vec::new();
    for seed in 1..=TREES {
        let before = tree(seed);
        for goal in [
            Goal::NoTickets,
            Goal::NoResumption,
            Goal::Rotate,
            Goal::Automatic,
        ] {
            let judge = Judge::new(server, path, goal);
            let after = judge.fixed(&before);
            changed += usize::from(after != before);
            for site in judge.sites(&after) {
                let fails = match goal {
                    // httpd has no key to offer; no fix pretends that it has.
                    Goal::Rotate | Goal::Automatic if server == Server::Apache => false,
                    Goal::Rotate => site.endpoints.iter().any(|one| {
                        let at = &one.ticket_key;
                        let keys = at.source == KeySource::Files && at.files[0] == FIRST_KEY;
                        let bounded = one.lifetime_seconds.tls12 <= Some(LIFETIME);
                        one.reachable && !(one.stateless_resumes() && keys && bounded)
                    }),
                    Goal::Automatic => site.endpoints.iter().any(|one| {
                        let zone = one.ticket_key.source == KeySource::Zone;
                        one.reachable && !(one.stateless_resumes() && zone)
                    }),
                    Goal::NoResumption => site
                        .endpoints
                        .iter()
                        .any(|one| one.reachable && one.resumes()),
                    _ => site
                        .endpoints
                        .iter()
                        .any(|one| one.reachable && one.stateless_resumes()),
                };
                let version = site.platform.server.value;
                assert!(
                    !fails,
                    "seed {seed}, {goal:?}, {version}\n{before}\n--- after\n{after}"
                );
            }
            let earlier = judge.serious(&before);
            let mut new = judge.serious(&after);
            new.retain(|what, count| *count > earlier.get(what).copied().unwrap_or_default());
            if !new.is_empty() {
                worse.push(format!(
                    "seed {seed}, {goal:?}: {new:?}\n{before}\n--- after\n{after}"
                ));
            }
        }
    }
    println!("{TREES} trees, four goals each, {changed} changed");
    assert!(
        worse.is_empty(),
        "{} get new findings\n{}",
        worse.len(),
        worse[0]
    );
    assert!(changed as u64 > TREES, "most trees have something to fix");
}

struct Judge {
    path: PathBuf,
    root: Root,
    policy: Policy,
    platforms: Vec<Platform>,
}

impl Judge {
    fn new(server: Server, path: &str, goal: Goal) -> Self {
        let sound = |version: &&Version| {
            goal != Goal::Automatic || [FIXED_STABLE, FIXED_MAINLINE].contains(*version)
        };
        let platform = |version: &Version| Platform {
            server: Assumed {
                value: *version,
                source: VersionSource::Assumed,
            },
            library: Assumed {
                value: Version::new(3, 0, 0),
                source: VersionSource::Assumed,
            },
            package: None,
        };
        Self {
            path: PathBuf::from(path),
            root: Root::new(server, path),
            policy: Policy {
                goal,
                ..Policy::default()
            },
            platforms: catalog::boundaries(server)
                .iter()
                .filter(sound)
                .map(platform)
                .collect(),
        }
    }

    fn project(&self, text: &str) -> Project {
        let files = Memory::new([(Path::new(&self.path), text.as_bytes())]);
        let options = LoadOptions {
            keys_directory: Some(self.policy.keys_directory.clone()),
            ..LoadOptions::default()
        };
        let project = source::load(&self.root, &files, &options);
        assert!(
            project.problems.is_empty(),
            "{:?}\n{text}",
            project.problems
        );
        project
    }

    fn sites(&self, text: &str) -> Vec<Site> {
        let project = self.project(text);
        self.platforms
            .iter()
            .map(|platform| model::build(&project, platform))
            .collect()
    }

    /// How often each rule finds something of warning and above, by version and directive.
    fn serious(&self, text: &str) -> BTreeMap<String, usize> {
        let mut found = BTreeMap::new();
        for site in self.sites(text) {
            let version = site.platform.server.value;
            let findings = rules::check(&Context {
                site: &site,
                policy: &self.policy,
            });
            for finding in findings
                .iter()
                .filter(|one| one.severity >= Severity::Warning)
            {
                let what = format!("{version} {}: {}", finding.rule, directive(finding));
                *found.entry(what).or_default() += 1;
            }
        }
        found
    }

    /// Every safe fix of every judged version, until nothing is left to fix.
    fn fixed(&self, before: &str) -> String {
        let mut text = before.to_owned();
        for _ in 0..8 {
            let project = self.project(&text);
            let fixes = self.fixes(&text);
            let proposals: Vec<Proposal<'_>> = fixes
                .iter()
                .map(|(finding, fix)| Proposal {
                    rule: finding.rule,
                    reason: finding.message.clone(),
                    fix,
                })
                .collect();
            let plan = fix::plan(&project, &proposals, &Options::default());
            assert!(plan.refused.is_empty(), "{:?}\n{text}", plan.refused);
            let Some(file) = plan.files.first() else {
                return text;
            };
            text = String::from_utf8(file.after.to_vec()).unwrap();
        }
        panic!("the fixes do not come to an end\n{before}\n--- after\n{text}");
    }

    fn fixes(&self, text: &str) -> Vec<(Finding, Fix)> {
        let mut fixes: Vec<(Finding, Fix)> = Vec::new();
        for site in self.sites(text) {
            for finding in rules::check(&Context {
                site: &site,
                policy: &self.policy,
            }) {
                let Some(fix) = finding.fix.clone() else {
                    continue;
                };
                let known = fixes.iter().any(|(_, other)| other.all().eq(fix.all()));
                if fix.applicability == Applicability::Safe && !known {
                    fixes.push((finding, fix));
                }
            }
        }
        fixes
    }
}

/// The directive that a message begins with; a fix may change its value.
fn directive(finding: &Finding) -> &str {
    finding.message.split(' ').next().unwrap()
}

/// Small numbers in a fixed order (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x2545_F491_4F6C_DD1D;
        self.0 ^= self.0 >> 29;
        (self.0 >> 8) % bound
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }
}

fn nginx_tree(dice: &mut Dice) -> String {
    let mut text = String::from(
        "events {}\nhttp {\n    ssl_certificate a.pem;\n    ssl_certificate_key a.key;\n",
    );
    nginx_settings(dice, &mut text, "    ");
    for server in 0..=dice.below(4) {
        text.push_str("    server {\n");
        let address = dice.pick(&["443", "443", "8443", "[::]:443"]);
        let options = dice.pick(&["", "", " default_server"]);
        let options = if server == 0 { options } else { "" };
        text.push_str(&format!(
            "        listen {address} ssl{options};\n        server_name s{server}.test;\n"
        ));
        nginx_settings(dice, &mut text, "        ");
        text.push_str("    }\n");
    }
    text.push_str("}\n");
    text
}

fn nginx_settings(dice: &mut Dice, text: &mut String, indent: &str) {
    let settings: [&[&str]; 6] = [
        &[
            "",
            "",
            "ssl_session_tickets on;",
            "ssl_session_tickets off;",
        ],
        &[
            "",
            "",
            "ssl_session_cache off;",
            "ssl_session_cache shared:Z:1m;",
            "ssl_session_cache builtin;",
        ],
        &[
            "",
            "",
            "ssl_session_cache none;",
            "ssl_session_cache builtin shared:Z:1m;",
        ],
        &[
            "",
            "",
            "ssl_session_timeout 1h;",
            "ssl_session_timeout 10d;",
        ],
        &["", "", "", "ssl_session_ticket_key k1;"],
        &[
            "",
            "",
            "",
            "ssl_conf_command Options SessionTicket;",
            "ssl_conf_command Options -KTLS,-SessionTicket;",
            "ssl_conf_command Options -KTLS;",
        ],
    ];
    for choices in settings {
        let line = dice.pick(choices);
        if !line.is_empty() {
            text.push_str(&format!("{indent}{line}\n"));
        }
    }
}

fn httpd_tree(dice: &mut Dice) -> String {
    let mut text = String::from("Listen 443\nListen 8443 https\n");
    let cache = [
        "",
        "SSLSessionCache shmcb:/run/s(512000)\n",
        "SSLSessionCache none\n",
    ];
    text.push_str(dice.pick(&cache));
    text.push_str(dice.pick(&cache));
    httpd_settings(dice, &mut text, "");
    for vhost in 0..=dice.below(4) {
        let port = dice.pick(&["443", "443", "8443"]);
        text.push_str(&format!("<VirtualHost *:{port}>\n    ServerName v{vhost}.test\n    SSLEngine on\n    SSLCertificateFile a.pem\n"));
        httpd_settings(dice, &mut text, "    ");
        text.push_str("</VirtualHost>\n");
    }
    text
}

fn httpd_settings(dice: &mut Dice, text: &mut String, indent: &str) {
    let settings: [&[&str]; 3] = [
        &["", "", "SSLSessionTickets on", "SSLSessionTickets off"],
        &[
            "",
            "",
            "SSLSessionCacheTimeout 300",
            "SSLSessionCacheTimeout 1d",
            "SSLSessionCacheTimeout 864000",
        ],
        &[
            "",
            "",
            "",
            "SSLOpenSSLConfCmd Options SessionTicket",
            "SSLOpenSSLConfCmd Options -SessionTicket",
            "SSLOpenSSLConfCmd Options PrioritizeChaCha",
        ],
    ];
    for choices in settings {
        let line = dice.pick(choices);
        if !line.is_empty() {
            text.push_str(&format!("{indent}{line}\n"));
        }
    }
}
