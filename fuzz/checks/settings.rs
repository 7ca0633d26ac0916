//! Any bytes as `stekguard.toml`: refused with places in the file, or taken, and then merging a
//! file with itself, or over nothing, changes nothing. Opens no file that the settings name.

use std::path::Path;

use stekguard::policy::Policy;
use stekguard::policy::settings::{Effective, Layer};

pub(crate) fn all(bytes: &[u8]) {
    let path = Path::new("/etc/stekguard/stekguard.toml");
    let lines = 1 + bytes.iter().filter(|byte| **byte == b'\n').count();
    let layer = match Layer::parse(path, bytes) {
        Ok(layer) => layer,
        Err(faults) => {
            assert!(!faults.is_empty() && faults.len() <= 50);
            for fault in &faults {
                let line = fault.line as usize;
                assert!((1..=lines).contains(&line), "line {line} of {lines}");
                assert!(!fault.message.is_empty() && !fault.message.contains('\n'));
            }
            return;
        }
    };
    let above = Path::new("/srv/stekguard.toml");
    let empty = Layer::parse(above, b"").expect("an empty file says nothing");
    let merged = Effective::merged(std::slice::from_ref(&layer));
    for layers in [
        [layer.clone(), layer.clone()],
        [empty.clone(), layer.clone()],
        [layer.clone(), empty],
    ] {
        match (&merged, Effective::merged(&layers)) {
            (Ok(one), Ok(two)) => assert!(one.settings == two.settings, "merged again"),
            (Err(one), Err(two)) => assert_eq!(one.1.message, two.1.message),
            _ => panic!("a second file decides whether the first one is taken"),
        }
    }
    let Ok(effective) = merged else {
        return;
    };
    assert_eq!(effective.files, [path]);
    let settings = &effective.settings;
    let mut policy = Policy::default();
    settings.judging.apply(&mut policy);
    let long = policy.lifetime_error >= policy.lifetime_warning;
    assert!(long, "an error is not milder than a warning");
    let plan = settings.rotation.plan();
    assert!(plan.is_ok(), "what was taken can be planned");
    if let Some(origin) = effective.origin("policy") {
        assert!((1..=lines).contains(&(origin.line as usize)));
        assert!(effective.value("policy").is_some());
    }
}
