//! Agents that misbehave. A real one signs in tests/fleet_signers.rs.

use std::os::unix::net::UnixListener;

use super::super::Signer;
use super::*;

/// An agent that answers every question so, and goes.
fn agent(answer: impl Fn(&mut UnixStream) + Send + 'static) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent");
    let listener = UnixListener::bind(&path).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut length = [0; 4];
            stream.read_exact(&mut length).unwrap();
            let mut question = vec![0; u32::from_be_bytes(length) as usize];
            stream.read_exact(&mut question).unwrap();
            answer(&mut stream);
        }
    });
    (folder, path)
}

fn refused(answer: impl Fn(&mut UnixStream) + Send + 'static) -> String {
    let (_folder, socket) = agent(answer);
    let key = Signer::random().unwrap().public().clone();
    let patience = Duration::from_millis(300);
    match Agent::find_within(&socket, &key, patience) {
        Ok(_) => panic!("such an agent was believed"),
        Err(why) => why.to_string(),
    }
}

fn send(bytes: Vec<u8>) -> impl Fn(&mut UnixStream) + Send + 'static {
    move |stream| {
        let _ = stream.write_all(&bytes);
    }
}

#[test]
fn an_agent_that_answers_nonsense_is_refused() {
    let listed = |count: u32| [&[LISTED][..], &count.to_be_bytes()].concat();
    let endless = [u32::MAX.to_be_bytes(), [0; 4]].concat();
    for (answer, words) in [
        (string(&[5]), "something else"),
        (string(&[]), "something else"),
        (string(&listed(u32::MAX)), "something else"),
        (string(&listed(0)), "ssh-add it"),
        (endless, "too long"),
        (vec![0, 0], "failed to fill"),
    ] {
        let why = refused(send(answer));
        assert!(why.contains(words), "{why}");
    }
}

#[test]
fn an_agent_that_hangs_is_given_up() {
    let silent = |_: &mut UnixStream| thread::sleep(Duration::from_secs(5));
    assert!(refused(silent).contains("does not answer within"));
    // A byte now and then, for ever.
    let slow = |stream: &mut UnixStream| {
        let _ = stream.write_all(&1000_u32.to_be_bytes());
        while stream.write_all(&[0]).is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    };
    assert!(refused(slow).contains("does not answer within"));
}

#[test]
fn an_agent_that_is_not_there_is_named() {
    let key = Signer::random().unwrap().public().clone();
    let found = Agent::find(Path::new("/nonexistent/agent"), &key);
    let why = found.err().unwrap().to_string();
    assert!(
        why.starts_with("the ssh-agent does not sign: /nonexistent/agent"),
        "{why}"
    );
}

#[test]
fn a_signature_of_another_form_is_none() {
    let answer = |kind: &[u8], bytes: &[u8]| {
        let inner = [string(kind), string(bytes)].concat();
        [vec![SIGNED], string(&inner)].concat()
    };
    assert_eq!(signature(&answer(KIND, &[7; 64])), Some([7; 64]));
    for wrong in [
        answer(b"ssh-rsa", &[7; 64]),
        answer(KIND, &[7; 63]),
        answer(KIND, &[7; 65]),
        vec![SIGNED],
        vec![5],
        vec![],
    ] {
        assert_eq!(signature(&wrong), None);
    }
}
