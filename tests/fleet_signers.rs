//! Where private keys come from: files that OpenSSL writes, systemd's credentials, a real
//! ssh-agent. A key that others can read is refused.
#![cfg(all(target_os = "linux", feature = "fleet"))]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use openssl::pkey::{Id, PKey, Private};
use openssl::sign::Verifier;
use stekguard::keys::fleet::*;
use tempfile::TempDir;

/// What stands in front of the signed bytes; see docs/guides/fleet-format.md.
const CONTEXT: &[u8] = b"stekguard fleet record\0";

fn head() -> Head {
    Head {
        fleet: FleetName::parse("edge").unwrap(),
        generation: 1,
        time: 1_790_000_000_000,
        interval: 3_600_000,
        newest: 497_225,
    }
}

/// Signs a head, has it read, and has OpenSSL verify the signature.
fn prove(signer: &Signer) {
    let record = sign_head(&head(), signer).unwrap();
    let pinned = Pinned(vec![signer.public().clone()]);
    assert_eq!(read_head(&record, &head().fleet, &pinned), Ok(head()));
    let (signed, signature) = record.split_at(record.len() - 64);
    let public = signer.public().bytes();
    let key = PKey::public_key_from_raw_bytes(&public, Id::ED25519).unwrap();
    let mut verifier = Verifier::new_without_digest(&key).unwrap();
    let message = [CONTEXT, signed].concat();
    assert!(verifier.verify_oneshot(signature, &message).unwrap());
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {words}");
}

/// A key that `openssl genpkey` made, closed to others, and what OpenSSL says is its public half.
fn genpkey(folder: &Path) -> (PathBuf, PublicKey) {
    let path = folder.join("signing.pem");
    let mut openssl = Command::new("openssl");
    run(openssl
        .args(["genpkey", "-algorithm", "ed25519", "-out"])
        .arg(&path));
    mode(&path, 0o600);
    let key: PKey<Private> = PKey::private_key_from_pem(&fs::read(&path).unwrap()).unwrap();
    let public: [u8; 32] = key.raw_public_key().unwrap().try_into().unwrap();
    (path, PublicKey::of(&public).unwrap())
}

fn open(source: &str) -> Result<Signer, String> {
    Signer::open(source, &Places::default()).map_err(|why| why.to_string())
}

fn refused(source: &str) -> String {
    open(source).err().expect("such a key was taken")
}

#[test]
fn a_key_of_openssl_signs_and_openssl_verifies() {
    let folder = TempDir::new().unwrap();
    let (path, public) = genpkey(folder.path());
    let signer = open(path.to_str().unwrap()).unwrap();
    assert_eq!(signer.public(), &public);
    prove(&signer);
    // Byte for byte what OpenSSL wrote.
    assert_eq!(signer.pem().unwrap().as_bytes(), fs::read(&path).unwrap());
}

#[test]
fn a_key_that_was_made_here_is_closed_and_openssl_reads_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("identity.pem");
    let public = make_signing_key(&path).unwrap();
    let made = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(made & 0o7777, 0o600);
    let key: PKey<Private> = PKey::private_key_from_pem(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(key.raw_public_key().unwrap(), public.bytes());
    prove(&open(path.to_str().unwrap()).unwrap());

    // Never over a key that is there.
    let before = fs::read(&path).unwrap();
    let why = make_signing_key(&path).unwrap_err().to_string();
    assert!(why.starts_with("cannot write the private key"), "{why}");
    assert!(make_fleet_key(&path).is_err());
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_fleet_key_is_made_and_read() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("fleet.key");
    make_fleet_key(&path).unwrap();
    let source = path.to_str().unwrap();
    let key = FleetKey::open(source, &Places::default()).unwrap();
    assert_eq!(key.text().as_bytes(), fs::read(&path).unwrap());
    mode(&path, 0o644);
    let refused = FleetKey::open(source, &Places::default()).err().unwrap();
    assert!(refused.to_string().contains("is open to others"));
    // A key of the one kind is none of the other.
    mode(&path, 0o600);
    assert!(
        open(source)
            .err()
            .unwrap()
            .contains("not an Ed25519 private key")
    );
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let folder = TempDir::new().unwrap();
    let (path, _) = genpkey(folder.path());
    let source = path.to_str().unwrap();
    for bits in [0o640, 0o604, 0o644, 0o660, 0o601, 0o777] {
        mode(&path, bits);
        let wanted = format!(
            "the private key {source} is open to others (mode {bits:o}): chmod 600 {source}"
        );
        assert_eq!(refused(source), wanted);
    }
    for bits in [0o600, 0o400] {
        mode(&path, bits);
        assert!(open(source).is_ok());
    }
    // A link is judged by the file behind it.
    let link = folder.path().join("link.pem");
    symlink(&path, &link).unwrap();
    assert!(open(link.to_str().unwrap()).is_ok());
    mode(&path, 0o644);
    assert!(refused(link.to_str().unwrap()).contains("is open to others"));
}

/// Root alone can give a file away.
#[test]
fn a_key_of_another_user_is_refused() {
    let folder = TempDir::new().unwrap();
    let (path, _) = genpkey(folder.path());
    match chown(&path, Some(65534), None) {
        Ok(()) => {
            let why = refused(path.to_str().unwrap());
            assert!(why.contains("belongs to user 65534"), "{why}");
        }
        Err(why) => println!("not shown, this is not root: {why}"),
    }
}

#[test]
fn what_is_no_key_is_refused_in_a_sentence_and_without_its_bytes() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        mode(&path, 0o600);
        path.to_str().unwrap().to_owned()
    };
    let mut rsa = Command::new("openssl");
    let other = folder.path().join("x25519.pem");
    run(rsa
        .args(["genpkey", "-algorithm", "x25519", "-out"])
        .arg(&other));
    mode(&other, 0o600);
    let text = fs::read_to_string(&other).unwrap();
    let why = refused(other.to_str().unwrap());
    assert!(why.contains("not an Ed25519 private key"), "{why}");
    assert!(!why.contains(text.lines().nth(1).unwrap()));

    for (source, words) in [
        (file("empty", b""), "not an Ed25519 private key"),
        (file("binary", &[0xff; 100]), "not a text of a few lines"),
        (file("large", &[b'a'; 1 << 20]), "not a text of a few lines"),
        (file("gone", b"") + "x", "cannot read the private key"),
        (folder.path().to_str().unwrap().to_owned(), "cannot read"),
        ("signing.pem".to_owned(), "is no place of a private key"),
        ("credential:x".to_owned(), "there is no credential x"),
        ("agent:ed25519:x".to_owned(), "is no public key"),
    ] {
        let why = refused(&source);
        assert!(why.contains(words), "{why}");
    }
    // Nobody writes into this pipe, and nobody waits for it.
    let pipe = folder.path().join("pipe");
    run(Command::new("mkfifo").arg("-m").arg("600").arg(&pipe));
    assert!(refused(pipe.to_str().unwrap()).contains("cannot read"));
}

#[test]
fn a_credential_is_read_from_the_folder_that_systemd_names() {
    let folder = TempDir::new().unwrap();
    let (path, public) = genpkey(folder.path());
    let passed = folder.path().join("credentials");
    fs::create_dir(&passed).unwrap();
    fs::copy(&path, passed.join("signing")).unwrap();
    let places = Places {
        credentials: Some(passed.clone()),
        agent: None,
    };
    let open = |name: &str| Signer::open(&format!("credential:{name}"), &places);
    // 440: an access list for the unit's user.
    for bits in [0o400, 0o440] {
        mode(&passed.join("signing"), bits);
        assert_eq!(open("signing").unwrap().public(), &public);
    }
    mode(&passed.join("signing"), 0o444);
    assert!(
        open("signing")
            .err()
            .unwrap()
            .to_string()
            .contains("open to others")
    );
    for name in ["", ".", "..", "../signing.pem", "a/b", ".hidden"] {
        let why = open(name).err().unwrap().to_string();
        assert!(why.starts_with("there is no credential"), "{why}");
    }
    assert!(
        open("other")
            .err()
            .unwrap()
            .to_string()
            .contains("cannot read")
    );
}

/// A real agent of our own, which ends with the test.
struct Agent {
    child: Child,
    socket: PathBuf,
}

impl Agent {
    fn start(folder: &Path) -> Self {
        let socket = folder.join("agent");
        let mut command = Command::new("ssh-agent");
        command.arg("-D").arg("-a").arg(&socket);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let agent = Self {
            child: child.unwrap(),
            socket,
        };
        let start = Instant::now();
        while !agent.socket.exists() {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "no agent came up"
            );
            sleep(Duration::from_millis(20));
        }
        agent
    }

    fn add(&self, arguments: &[&str]) {
        let mut command = Command::new("ssh-add");
        run(command.args(arguments).env("SSH_AUTH_SOCK", &self.socket));
    }

    fn places(&self) -> Places {
        Places {
            credentials: None,
            agent: Some(self.socket.clone()),
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A key that ssh-keygen made, and its public half.
fn keygen(folder: &Path, name: &str) -> (String, PublicKey) {
    let path = folder.join(name);
    let mut command = Command::new("ssh-keygen");
    run(command
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&path));
    let text = fs::read_to_string(path.with_extension("pub")).unwrap();
    let blob = text.split(' ').nth(1).unwrap();
    let blob = openssl::base64::decode_block(blob).unwrap();
    let public: [u8; 32] = blob[blob.len() - 32..].try_into().unwrap();
    let public = PublicKey::of(&public).unwrap();
    (path.to_str().unwrap().to_owned(), public)
}

#[test]
fn a_real_ssh_agent_signs_with_the_key_that_was_asked_for() {
    let folder = TempDir::new().unwrap();
    let mut agent = Agent::start(folder.path());
    let (first, _) = keygen(folder.path(), "first");
    let (second, public) = keygen(folder.path(), "second");
    let open = || Signer::open(&format!("agent:{public}"), &agent.places());
    agent.add(&["-q", &first]);
    let why = open().err().unwrap().to_string();
    assert!(
        why.contains(&format!("it has no key {public}: ssh-add it")),
        "{why}"
    );

    agent.add(&["-q", &second]);
    let signer = open().unwrap();
    assert_eq!(signer.public(), &public);
    assert!(signer.pem().is_none());
    prove(&signer);
    let start = Instant::now();
    for _ in 0..50 {
        sign_head(&head(), &signer).unwrap();
    }
    println!("one signature of the agent: {:?}", start.elapsed() / 50);

    // The key is taken away while it is in use, and comes back.
    agent.add(&["-q", "-D"]);
    let why = sign_head(&head(), &signer).unwrap_err().to_string();
    assert!(why.contains("it refuses"), "{why}");
    agent.add(&["-q", &second]);
    prove(&signer);

    agent.child.kill().unwrap();
    agent.child.wait().unwrap();
    let why = sign_head(&head(), &signer).unwrap_err().to_string();
    assert!(why.starts_with("the ssh-agent does not sign"), "{why}");
    let nowhere = Signer::open(&format!("agent:{public}"), &Places::default());
    assert!(nowhere.err().unwrap().to_string().contains("SSH_AUTH_SOCK"));
}
