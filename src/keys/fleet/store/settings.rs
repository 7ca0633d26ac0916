//! How a server has to be set that carries a fleet's records: the data of `redis.toml` and `memcached.toml`, as
//! a configuration to print and as a list to compare a running server with. Pure.

use serde::Deserialize;

use super::super::{FleetName, HostName};
use crate::keys::Grade;

const REDIS: &str = include_str!("redis.toml");
const MEMCACHED: &str = include_str!("memcached.toml");
/// Lines of a comment are about this long.
const WIDTH: usize = 90;

/// Which server.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Engine {
    /// Redis 7.0 or newer.
    Redis,
    /// Valkey, which reads the same configuration.
    Valkey,
    /// memcached 1.6.
    Memcached,
}

/// What a Redis is there for.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub enum Role {
    /// Takes the generators' writes.
    Master,
    /// A site's copy.
    Replica,
}

/// What is printed.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The server.
    pub engine: Engine,
    /// Its part; memcached has none.
    pub role: Role,
    /// The fleet whose records users may touch; all fleets without it.
    pub fleet: Option<FleetName>,
    /// A user for each of these; without any, one for all agents.
    pub hosts: Vec<HostName>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RedisData {
    setting: Vec<RedisSetting>,
    user: Vec<User>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RedisSetting {
    name: String,
    value: String,
    #[serde(default = "both")]
    roles: Vec<String>,
    grade: Option<GradeName>,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    name: String,
    #[serde(default = "both")]
    roles: Vec<String>,
    password: Option<String>,
    #[serde(default)]
    per_host: bool,
    rules: String,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MemcachedData {
    setting: Vec<MemcachedSetting>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MemcachedSetting {
    option: String,
    stat: Option<String>,
    value: Option<String>,
    grade: Option<GradeName>,
    why: String,
}

#[derive(Copy, Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
enum GradeName {
    Note,
    Warning,
    Error,
}

/// What a running server should say.
pub(super) struct Hazard {
    /// The name that it is asked for.
    pub(super) name: String,
    /// The value that it should have.
    pub(super) value: String,
    /// How bad another one is.
    pub(super) grade: Grade,
    /// What it is good for.
    pub(super) why: String,
    /// The line that sets it.
    pub(super) line: String,
}

fn both() -> Vec<String> {
    vec!["master".to_owned(), "replica".to_owned()]
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::Replica => "replica",
        }
    }
}

impl From<GradeName> for Grade {
    fn from(name: GradeName) -> Self {
        match name {
            GradeName::Note => Self::Note,
            GradeName::Warning => Self::Warning,
            GradeName::Error => Self::Error,
        }
    }
}

/// What a Redis of this role should be set to.
pub(super) fn redis_hazards(role: Role) -> Vec<Hazard> {
    let here = |it: &RedisSetting| it.roles.iter().any(|name| name == role.name());
    let hazard = |it: RedisSetting| {
        Some(Hazard {
            grade: it.grade?.into(),
            line: format!("{} {}", it.name, it.value),
            name: it.name,
            value: it.value.trim_matches('"').to_owned(),
            why: it.why,
        })
    };
    let settings = redis().setting.into_iter();
    settings.filter(here).filter_map(hazard).collect()
}

/// What a memcached should be started with.
pub(super) fn memcached_hazards() -> Vec<Hazard> {
    let hazard = |it: MemcachedSetting| {
        Some(Hazard {
            name: it.stat?,
            value: it.value?,
            grade: it.grade?.into(),
            why: it.why,
            line: it.option,
        })
    };
    memcached().setting.into_iter().filter_map(hazard).collect()
}

// The data is part of the program; a test reads it.
fn redis() -> RedisData {
    toml::from_str(REDIS).unwrap_or(RedisData {
        setting: Vec::new(),
        user: Vec::new(),
    })
}

fn memcached() -> MemcachedData {
    toml::from_str(MEMCACHED).unwrap_or(MemcachedData {
        setting: Vec::new(),
    })
}

/// The configuration, with placeholders between `@`.
pub fn configuration(wanted: &Wanted) -> String {
    match wanted.engine {
        Engine::Memcached => memcached_configuration(),
        Engine::Redis => redis_configuration(wanted, "Redis 7.0 or newer"),
        Engine::Valkey => redis_configuration(wanted, "Valkey 7.2 or newer"),
    }
}

fn memcached_configuration() -> String {
    let mut out = comment(
        "memcached for the sealed ticket keys of a fleet: /etc/memcached.conf, or each line as an \
         argument. Replace what stands between @: PORT (11211), USER (memcache), MEGABYTES (64).",
    );
    for setting in memcached().setting {
        out.push('\n');
        out.push_str(&comment(&setting.why));
        out.push_str(&setting.option);
        out.push('\n');
    }
    out
}

fn redis_configuration(wanted: &Wanted, server: &str) -> String {
    let data = redis();
    let here = |roles: &[String]| roles.iter().any(|name| name == wanted.role.name());
    let role = match wanted.role {
        Role::Master => "the master, which generators write to",
        Role::Replica => "a site's copy, which agents ask",
    };
    let mut out = comment(&format!(
        "{server} for the sealed ticket keys of a fleet: {role}. Replace what stands between @; \
         every line says what for. A password is 32 random bytes (openssl rand -hex 32), kept in \
         a file for the program that uses it; here stands its digest: printf %s PASSWORD | \
         sha256sum. `stekguard keys store-doctor` compares the running server with this."
    ));
    for setting in data.setting.iter().filter(|it| here(&it.roles)) {
        out.push('\n');
        out.push_str(&comment(&setting.why));
        out.push_str(&format!("{} {}\n", setting.name, setting.value));
    }
    for user in data.user.iter().filter(|it| here(&it.roles)) {
        out.push('\n');
        out.push_str(&comment(&user.why));
        out.push_str(&user.lines(wanted));
    }
    out
}

impl User {
    /// One line, or one for each host.
    fn lines(&self, wanted: &Wanted) -> String {
        let fleet = wanted.fleet.as_ref().map_or("*", FleetName::as_str);
        let rules = self.rules.replace("{fleet}", fleet);
        let Some(password) = &self.password else {
            return format!("user {} {rules}\n", self.name);
        };
        let line = |name: &str, password: &str, host: &str| {
            let rules = rules.replace("{host}", host);
            format!("user {name} reset on #@{password}_SHA256@ {rules}\n")
        };
        if !self.per_host || wanted.hosts.is_empty() {
            return line(&self.name, password, "*");
        }
        let of = |host: &HostName| {
            let upper = host.as_str().to_ascii_uppercase().replace(['-', '.'], "_");
            let (name, password) = (
                format!("{}-{host}", self.name),
                format!("{password}_{upper}"),
            );
            line(&name, &password, host.as_str())
        };
        wanted.hosts.iter().map(of).collect()
    }
}

/// A comment of lines that are not too long.
fn comment(text: &str) -> String {
    let mut out = String::new();
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.len() + word.len() >= WIDTH {
            out.push_str(&line);
            out.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    out + &line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_is_read() {
        toml::from_str::<RedisData>(REDIS).unwrap();
        toml::from_str::<MemcachedData>(MEMCACHED).unwrap();
        assert!(redis_hazards(Role::Replica).len() > 12);
        assert!(memcached_hazards().len() > 4);
    }
}
