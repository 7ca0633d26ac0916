//! Runs a server's own program, or a command that stands for it, with files seen as they
//! would be. The caller decides whether anything may be run at all.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::catalog::Server;
use crate::machine::{self, program_of_user};

const NGINX: [&str; 2] = ["nginx", "/usr/sbin/nginx"];
const APACHE: [&str; 4] = ["apache2", "/usr/sbin/apache2", "httpd", "/usr/sbin/httpd"];

/// Binds each pair of files, then becomes the command; 125 where binding fails.
const BIND: &str = r#"
count=$1; shift
while [ "$count" -gt 0 ]; do
    mount --bind "$1" "$2" || exit 125
    shift 2; count=$((count - 1))
done
exec "$@"
"#;
const NOT_BOUND: i32 = 125;

/// What runs longer does not end. A server's test of a large tree takes seconds.
pub(super) const LIMIT: Duration = Duration::from_secs(60);
/// Longest time between two looks at a program.
const STEP: Duration = Duration::from_millis(50);

/// An installed server.
#[derive(Clone, Eq, PartialEq, Debug)]
pub(super) struct Installed {
    pub(super) program: &'static str,
    /// The root file that it was built for.
    pub(super) root: PathBuf,
    /// Where it keeps its process id if the configuration does not say; nginx only.
    pub(super) pid: Option<PathBuf>,
    /// The folder that it was built for.
    pub(super) prefix: PathBuf,
}

/// What a program said.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) success: bool,
    /// It did not end in time and was ended.
    pub(super) overdue: bool,
    code: Option<i32>,
    pub(super) out: Vec<u8>,
    err: Vec<u8>,
}

/// What to run.
#[derive(Clone, Debug, Default)]
pub(super) struct Call {
    /// Program and arguments.
    pub(super) words: Vec<OsString>,
    /// Variables of the environment that are added.
    pub(super) environment: Vec<(String, OsString)>,
    /// A command of the user's own: it keeps the environment.
    pub(super) of_user: bool,
}

/// The installed server of this kind, by what its program says of itself.
pub(super) fn installed(server: Server) -> Result<Installed, String> {
    let programs: &[&'static str] = match server {
        Server::Nginx => &NGINX,
        Server::Apache => &APACHE,
    };
    for program in programs {
        let call = Call::new([program, "-V"]);
        let Ok(answer) = call.run() else { continue };
        let said = answer.text();
        let built = match server {
            Server::Nginx => nginx(program, &said),
            Server::Apache => apache(program, &said),
        };
        return built.ok_or_else(|| format!("{program} -V does not say what it was built for"));
    }
    Err(format!("no {} is installed", programs[0]))
}

fn nginx(program: &'static str, said: &str) -> Option<Installed> {
    said.contains("nginx version:").then_some(())?;
    let word = |name: &str| {
        let mut words = said.split_ascii_whitespace();
        words
            .find_map(|word| word.strip_prefix(name))
            .map(PathBuf::from)
    };
    // What configure takes where it is not told.
    let prefix = word("--prefix=").unwrap_or_else(|| "/usr/local/nginx".into());
    let below = |name: &str, usual: &str| {
        let named = word(name).unwrap_or_else(|| usual.into());
        prefix.join(named)
    };
    Some(Installed {
        program,
        root: below("--conf-path=", "conf/nginx.conf"),
        pid: Some(below("--pid-path=", "logs/nginx.pid")),
        prefix,
    })
}

fn apache(program: &'static str, said: &str) -> Option<Installed> {
    let word = |name: &str| {
        let mut lines = said.lines();
        let line = lines.find_map(|line| line.trim().strip_prefix(name))?;
        Some(PathBuf::from(line.trim_matches('"')))
    };
    let prefix = word("-D HTTPD_ROOT=")?;
    Some(Installed {
        program,
        root: prefix.join(word("-D SERVER_CONFIG_FILE=")?),
        pid: None,
        prefix,
    })
}

impl Call {
    pub(super) fn new(words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let words = words.into_iter();
        Self {
            words: words.map(|word| word.as_ref().to_owned()).collect(),
            ..Self::default()
        }
    }

    /// Runs it as it is.
    pub(super) fn run(&self) -> std::io::Result<Answer> {
        let (Some(program), arguments) = (self.words.first(), self.words.get(1..)) else {
            return Err(std::io::ErrorKind::InvalidInput.into());
        };
        let mut command = match self.of_user {
            true => program_of_user(program)?,
            false => machine::program(program)?,
        };
        command.args(arguments.unwrap_or_default());
        let environment = self.environment.iter();
        command.envs(environment.map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        group::own(&mut command);
        answer_of(command.spawn()?, LIMIT)
    }

    /// Runs it where each first file of a pair is seen in place of the second: in a mount
    /// namespace that ends with it, so that nobody else sees that. `None` where the system
    /// does not let this process have one.
    pub(super) fn run_with(&self, pairs: &[(PathBuf, PathBuf)]) -> Option<Answer> {
        let alone = ["unshare", "--mount", "--propagation", "private", "--"];
        let mut words: Vec<OsString> = alone.iter().map(OsString::from).collect();
        words.extend(["/bin/sh", "-c", BIND, "stekguard"].map(OsString::from));
        words.push(pairs.len().to_string().into());
        for (new, real) in pairs {
            words.extend([new.into(), real.into()]);
        }
        // First whether it can be done at all: what fails later is the server's word.
        let mut trial = words.clone();
        trial.push("true".into());
        let trial = Call::new(trial);
        trial.run().ok().filter(|answer| answer.success)?;
        words.extend(self.words.iter().cloned());
        let call = Call {
            words,
            environment: self.environment.clone(),
            of_user: self.of_user,
        };
        call.run()
            .ok()
            .filter(|answer| answer.code != Some(NOT_BOUND))
    }
}

/// Waits until a program has ended and nothing of it writes any more, or the limit is over;
/// then it is ended with all that it started.
fn answer_of(mut child: Child, limit: Duration) -> std::io::Result<Answer> {
    let (sender, receiver) = channel();
    read(0, child.stdout.take(), sender.clone());
    read(1, child.stderr.take(), sender);
    let mut said: [Option<Vec<u8>>; 2] = [None, None];
    let (mut waited, mut step) = (Duration::ZERO, Duration::from_millis(1));
    loop {
        take(&receiver, &mut said);
        let status = child.try_wait()?;
        let silent = said.iter().all(Option::is_some);
        let overdue = waited >= limit;
        if overdue {
            group::end(&mut child);
        }
        if overdue || (status.is_some() && silent) {
            let [out, err] = said.map(Option::unwrap_or_default);
            let ended = status.filter(|_| !overdue);
            return Ok(Answer {
                success: ended.is_some_and(|status| status.success()),
                code: ended.and_then(|status| status.code()),
                overdue,
                out,
                err,
            });
        }
        thread::sleep(step);
        waited += step;
        step = STEP.min(step * 2);
    }
}

/// Everything of one stream, by a thread of its own: a full pipe would stop the program.
fn read(which: usize, stream: Option<impl Read + Send + 'static>, to: Sender<(usize, Vec<u8>)>) {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            let _ = stream.read_to_end(&mut bytes);
        }
        let _ = to.send((which, bytes));
    });
}

fn take(receiver: &Receiver<(usize, Vec<u8>)>, said: &mut [Option<Vec<u8>>; 2]) {
    for (which, bytes) in receiver.try_iter() {
        if let Some(place) = said.get_mut(which) {
            *place = Some(bytes);
        }
    }
}

/// A program with what it starts, so that all of it can be ended.
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod group {
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command};

    use rustix::process::{Pid, Signal, kill_process_group};

    pub(super) fn own(command: &mut Command) {
        command.process_group(0);
    }

    pub(super) fn end(child: &mut Child) {
        let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
        let _ = child.wait();
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod group {
    use std::process::{Child, Command};

    pub(super) fn own(_: &mut Command) {}

    pub(super) fn end(child: &mut Child) {
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Answer {
    /// Both streams.
    pub(super) fn text(&self) -> String {
        let both = [self.out.as_slice(), self.err.as_slice()].concat();
        String::from_utf8_lossy(&both).into_owned()
    }

    /// Why it failed, in one line; `top` is a folder that the reader has not got.
    pub(super) fn reason(&self, top: &Path) -> String {
        // A command of the user's own may say why on either stream.
        let said = match self.err.trim_ascii().is_empty() {
            true => &self.out,
            false => &self.err,
        };
        let text = String::from_utf8_lossy(said).into_owned();
        let text = text.replace(&top.display().to_string(), "");
        let lines = text.lines().map(str::trim);
        let weighty = |line: &&str| {
            // Remarks that both servers make of sound configurations.
            !line.is_empty() && !line.contains("[warn]") && !line.starts_with("AH00558")
        };
        let lines: Vec<&str> = lines.filter(weighty).take(REASON_LINES).collect();
        match lines.is_empty() {
            true => "it says nothing".to_owned(),
            false => lines.join(" "),
        }
    }
}

/// More of what a program says of a failure is not repeated.
const REASON_LINES: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_were_built_for() {
        let said = "nginx version: nginx/1.22.1\nconfigure arguments: --prefix=/usr/share/nginx \
            --conf-path=/etc/nginx/nginx.conf --pid-path=/run/nginx.pid\n";
        let built = nginx("nginx", said).unwrap();
        assert_eq!(built.root, Path::new("/etc/nginx/nginx.conf"));
        assert_eq!(built.pid.as_deref(), Some(Path::new("/run/nginx.pid")));
        let plain = nginx("nginx", "nginx version: nginx/1.31.3\n").unwrap();
        assert_eq!(plain.root, Path::new("/usr/local/nginx/conf/nginx.conf"));
        let said = " -D HTTPD_ROOT=\"/etc/apache2\"\n -D SERVER_CONFIG_FILE=\"apache2.conf\"\n";
        let built = apache("apache2", said).unwrap();
        assert_eq!(built.root, Path::new("/etc/apache2/apache2.conf"));
        assert!(apache("apache2", "").is_none() && nginx("nginx", "").is_none());
    }
}
