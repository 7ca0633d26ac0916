//! A host whose temporary folder cannot be executed from: the collection's modules work there,
//! the binary as a module does not, and says so. Everything happens in a mount namespace of its
//! own, which takes the mount with it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::playbook::{Desk, Run, finish, stekguard};
use crate::support::install::is_root;

/// Mounts a tmpfs over the folder, shows that nothing there can be executed, then runs the rest.
const SCRIPT: &str = r#"
set -e
mount -t tmpfs -o noexec,mode=0700 tmpfs "$1"
cp /bin/true "$1/true"
if "$1/true" 2>/dev/null; then echo "the folder is not noexec"; exit 99; fi
shift
exec "$@"
"#;

/// Runs a play whose remote folder is on a tmpfs without execution.
fn run_noexec(desk: &Desk) -> Run {
    fs::create_dir_all(desk.at("remote")).unwrap();
    let mut command = Command::new("unshare");
    if !is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--mount", "sh", "-c", SCRIPT, "sh"]);
    command.arg(desk.at("remote"));
    let playbook = desk.command("ansible-playbook");
    command.arg(playbook.get_program());
    command.args(["-i", "localhost,", "-c", "local"]);
    command.arg(desk.at("play.yml"));
    desk.settle(&mut command);
    finish(command)
}

#[test]
fn the_modules_need_no_execution_in_the_temporary_folder() {
    let desk = Desk::new();
    desk.copy("testdata/demo/etc/nginx", "nginx");
    desk.play(&format!(
        "tasks:\n  - stekguard.tls.resumption:\n      executable: {}\n      path: {}\n",
        stekguard(),
        desk.text("nginx/nginx.conf")
    ));
    run_noexec(&desk).changed(1);
    let blog = fs::read_to_string(desk.at("nginx/conf.d/blog.conf")).unwrap();
    assert!(blog.contains("ssl_session_tickets off;"), "{blog}");
    run_noexec(&desk).changed(0);
}

#[test]
fn the_binary_is_a_module_where_it_can_be_executed() {
    let desk = Desk::new();
    desk.copy("testdata/demo/etc/nginx", "nginx");
    fs::create_dir(desk.at("library")).unwrap();
    for name in ["stekguard_resumption", "stekguard_resumption_info"] {
        let place = desk.at("library").join(name);
        fs::copy(stekguard(), &place).unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let play = desk.play(&format!(
        "tasks:\n  - stekguard_resumption:\n      path: {}\n      backup: \"yes\"\n  \
         - stekguard_resumption_info:\n      path: {0}\n    register: info\n  \
         - assert:\n      that: info.lint.schema == 'stekguard-lint/1'\n",
        desk.text("nginx/nginx.conf")
    ));
    let before = fs::read(desk.at("nginx/conf.d/blog.conf")).unwrap();
    let check = desk.run(&play, &["--check", "--diff"]);
    check.changed(1);
    let line = "+    ssl_session_tickets off;    # faster for returning readers";
    assert!(check.said.lines().any(|it| it == line), "{}", check.said);
    assert_eq!(fs::read(desk.at("nginx/conf.d/blog.conf")).unwrap(), before);
    desk.run(&play, &[]).changed(1);
    assert_ne!(fs::read(desk.at("nginx/conf.d/blog.conf")).unwrap(), before);
    desk.run(&play, &[]).changed(0);

    let refused = run_noexec(&desk);
    assert_eq!(refused.code, 2, "{}", refused.said);
    assert!(
        refused.said.contains("Permission denied"),
        "{}",
        refused.said
    );
}
