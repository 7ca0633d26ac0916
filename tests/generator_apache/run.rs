//! One tree: written, predicted, started, asked.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::client::{Client, Probe};
use super::compare::{Comparison, Difference, Outcome};
use super::noise;
use super::predict::{self, Predicted, loopback};
use super::print::{Files, print};
use super::rng::Rng;
use super::tree::{NAMES, Node, Tree, tree};
use super::world::World;
use crate::support::apache;
use crate::support::client::Target;
use crate::support::install::{Program, apache_modules, is_root};
use crate::support::server::{Server, accepts, free_address};

/// A tree in its folder.
pub struct Written {
    pub tree: Tree,
    pub files: Files,
    pub dir: tempfile::TempDir,
    beacon: std::net::SocketAddr,
}

/// Makes and writes a tree; `change` may spoil it.
pub fn written(
    seed: u64,
    index: usize,
    program: &Program,
    world: &World,
    change: impl FnOnce(&mut Rng, &mut Vec<Node>, (&str, &str)),
) -> Written {
    let mut rng = Rng::new(seed, index);
    let ports: Vec<u16> = (0..3).map(|_| free_address().port()).collect();
    let mut tree = tree(&mut rng, index, &ports);
    let dir = apache::server_root();
    let places = (
        dir.path().display().to_string(),
        world.path().display().to_string(),
    );
    let places = (places.0.as_str(), places.1.as_str());
    let nodes = tree
        .nodes
        .into_iter()
        .map(|node| node.placed(places.0, places.1));
    let nodes = nodes.collect();
    tree.nodes = noise::scrambled(&mut rng, nodes, &program.version, places);
    change(&mut rng, &mut tree.nodes, places);
    let mut files = print(&tree.nodes, Some(rng));
    let beacon = free_address();
    let text = files.remove("").unwrap_or_default();
    files.insert("apache2.conf".to_owned(), main_file(&text, beacon));
    for (name, text) in &mut files {
        *text = text.replace("{dir}", places.0).replace("{w}", places.1);
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    Written {
        tree,
        files,
        dir,
        beacon,
    }
}

/// The modules that trees need; mod_env comes last of all.
const MODULES: [&str; 7] = [
    "mpm_event",
    "authz_core",
    "socache_shmcb",
    "socache_dbm",
    "ssl",
    "headers",
    "macro",
];

/// One process, so that what a session meets is the configuration and not chance.
fn main_file(text: &str, beacon: std::net::SocketAddr) -> String {
    let folder = apache_modules();
    let load = |name: &str| {
        format!(
            "LoadModule {name}_module {}/mod_{name}.so\n",
            folder.display()
        )
    };
    let modules: String = MODULES.iter().map(|name| load(name)).collect();
    let user = if is_root() {
        "User www-data\nGroup www-data\n"
    } else {
        ""
    };
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!(
        "ServerRoot \"{{dir}}\"\nDefaultRuntimeDir \"{{dir}}\"\nPidFile \"{{dir}}/httpd.pid\"\n\
         ErrorLog \"{{dir}}/error.log\"\nLogLevel warn ssl:info\n{modules}{user}\
         StartServers 1\nServerLimit 1\nThreadLimit 16\nThreadsPerChild 16\n\
         MaxRequestWorkers 16\nMinSpareThreads 1\nMaxSpareThreads 16\n\
         Listen {beacon}\n{text}{end}\
         <VirtualHost {beacon}>\nServerName beacon.test\nSSLEngine on\nSSLProtocol all\n\
         SSLVerifyClient none\nSSLOpenSSLConfCmd MinProtocol TLSv1.2\n\
         SSLOpenSSLConfCmd MaxProtocol TLSv1.3\nSSLOpenSSLConfCmd Protocol ALL\n\
         SSLCertificateFile {{w}}/one.crt\nSSLCertificateKeyFile {{w}}/one.key\n</VirtualHost>\n{}",
        load("env"),
    )
}

impl Written {
    /// The root file.
    pub fn root(&self) -> std::path::PathBuf {
        self.dir.path().join("apache2.conf")
    }

    /// What the project says.
    pub fn predicted(&self, program: &Program) -> Predicted {
        let wild: Vec<u16> = self
            .tree
            .listens
            .iter()
            .filter(|listen| listen.any)
            .map(|listen| listen.port)
            .collect();
        predict::predict(&self.root(), &program.version, &wild)
    }

    /// httpd's arguments.
    pub fn arguments(&self) -> Vec<String> {
        let mut args = apache::arguments(self.dir.path(), &self.root());
        args.extend(["-D".to_owned(), "LIVE".to_owned()]);
        args
    }

    /// httpd's own verdict, with what it says.
    pub fn verdict(&self, program: &Program) -> (bool, String) {
        let mut args = self.arguments();
        args.push("-t".to_owned());
        let (accepted, said) = accepts(&program.path, &args);
        (accepted, said.trim().to_owned())
    }

    /// Everything compared.
    pub fn outcome(&self, program: &Program, world: &World) -> Outcome {
        let predicted = self.predicted(program);
        let client = Client::new(world.path(), &world.nonce);
        let mut comparison = Comparison::new(&predicted, &client, world);
        for problem in &predicted.project.problems {
            let text = format!(
                "{}:{}: {}",
                problem.path.display(),
                problem.line,
                problem.message
            );
            comparison
                .outcome
                .differences
                .push(difference("problem", "none", &text));
        }
        let (accepted, said) = self.verdict(program);
        if !accepted {
            comparison
                .outcome
                .differences
                .push(difference("verdict", "accepted", &said));
            return comparison.outcome;
        }
        let server = catch_unwind(AssertUnwindSafe(|| self.start(program, world)));
        let Ok(server) = server else {
            let log = fs::read_to_string(self.dir.path().join("error.log")).unwrap_or_default();
            let out = fs::read_to_string(self.dir.path().join("apache2.out")).unwrap_or_default();
            comparison.outcome.differences.push(difference(
                "start",
                "starts",
                &format!("{out}{log}"),
            ));
            return comparison.outcome;
        };
        if let Err(why) = self.ask(&mut comparison) {
            comparison
                .outcome
                .differences
                .push(difference("exchange", "works", &why));
        }
        drop(server);
        comparison.outcome
    }

    /// Runs it.
    pub fn start(&self, program: &Program, world: &World) -> Server {
        let beacon = Target {
            address: self.beacon,
            sni: Some("beacon.test".to_owned()),
            nonce: world.nonce.clone(),
        };
        let mut args = self.arguments();
        args.push("-DFOREGROUND".to_owned());
        Server::start(&program.path, &args, &[self.root()], &beacon)
    }

    fn ask(&self, comparison: &mut Comparison<'_>) -> Result<(), String> {
        let probes = self.probes();
        for probe in probes.iter().flatten() {
            comparison.probe(probe)?;
        }
        let mut rng = Rng::new(7, self.tree.index);
        for socket in &probes {
            let mut some = socket.clone();
            while some.len() > 4 {
                let out = rng.below(some.len());
                some.remove(out);
            }
            for (from, to) in pairs(&some) {
                comparison.crossing(from, to)?;
            }
        }
        let all: Vec<Probe> = probes.into_iter().flatten().collect();
        for _ in 0..8 {
            let (from, to) = (rng.pick(&all).clone(), rng.pick(&all).clone());
            if from != to {
                comparison.crossing(&from, &to)?;
            }
        }
        Ok(())
    }

    /// Whom to ask, by socket: every name that the tree has, one that nobody has, and none.
    pub fn probes(&self) -> Vec<Vec<Probe>> {
        let text: String = self
            .files
            .values()
            .map(|text| text.to_lowercase())
            .collect();
        let mut names: BTreeSet<&str> = NAMES
            .iter()
            .copied()
            .filter(|name| text.contains(name))
            .collect();
        names.extend(
            ["x.w.test", "main.test"]
                .iter()
                .filter(|_| text.contains("*.w.test") || text.contains("main.test")),
        );
        names.insert("none.example");
        let names = names
            .into_iter()
            .map(|name| Some(name.to_owned()))
            .chain([None]);
        let names: Vec<Option<String>> = names.collect();
        let mut sockets = Vec::new();
        for listen in &self.tree.listens {
            for last in if listen.any { 1..=2 } else { 1..=1 } {
                let address = loopback(last, listen.port);
                let probe = |sni: &Option<String>| Probe {
                    address,
                    sni: sni.clone(),
                };
                sockets.push(names.iter().map(probe).collect());
            }
        }
        sockets
    }
}

fn pairs(probes: &[Probe]) -> Vec<(&Probe, &Probe)> {
    let all = probes
        .iter()
        .flat_map(|from| probes.iter().map(move |to| (from, to)));
    all.filter(|(from, to)| from != to).collect()
}

fn difference(field: &str, predicted: &str, observed: &str) -> Difference {
    Difference {
        place: "tree".to_owned(),
        field: field.to_owned(),
        predicted: predicted.to_owned(),
        observed: observed.to_owned(),
    }
}

/// The files of a tree, to be shown.
pub fn shown(files: &Files, dir: &Path) -> String {
    let dir = dir.display().to_string();
    let text = |(name, text): (&String, &String)| {
        let text = text.replace(&dir, "{dir}");
        let text = match text.contains('\r') {
            true => format!("(CRLF)\n{}", text.replace('\r', "")),
            false => text,
        };
        format!("--- {name}\n{text}\n")
    };
    files.iter().map(text).collect()
}
