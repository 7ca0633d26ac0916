//! httpd's own test of a real file, with every module that it can load.

use std::path::{Path, PathBuf};

use stekguard::catalog::Server;

use super::{Case, Judge};
use crate::httpd_tree::{ENVIRONMENT, Httpd, without};

/// The name that a file is tried under.
const NAME: &str = "copy";

pub struct Apache {
    httpd: Httpd,
    told: Vec<String>,
}

impl Apache {
    pub fn new() -> Self {
        let httpd = Httpd::new();
        let list = httpd.folder.path().join("modules.list");
        std::fs::write(&list, httpd.module_names().join("\n")).unwrap();
        let mut told = vec![
            "--define=!*".to_owned(),
            "--define=DUMP_CONFIG".to_owned(),
            format!("--modules=@{}", list.display()),
        ];
        told.extend(ENVIRONMENT.map(|(name, value)| format!("--define={name}={value}")));
        Self { httpd, told }
    }

    /// A real file alone; full paths of includes lead nowhere.
    pub fn case(&self, path: &Path) -> Case {
        let text = std::fs::read(path).unwrap();
        let full = regex::bytes::Regex::new(r#"(?mi-u)^([ \t]*Include(?:Optional)?[ \t]+["']?)/"#);
        let speaks = regex::bytes::Regex::new(r"(?m-u)^([ \t]*)(?:[Ww]arning|[Ee]rror)[ \t]+");
        let text = full
            .unwrap()
            .replace_all(&text, &b"${1}/nowhere/"[..])
            .into_owned();
        // mod_macro's tests speak by directives that a release does not have or stops at.
        let text = speaks
            .unwrap()
            .replace_all(&text, &b"${1}ErrorDocument 404 "[..]);
        // By its end it is known to be one file of many, or no configuration.
        let end = path.extension().unwrap_or("conf".as_ref());
        let name = PathBuf::from(NAME).with_extension(end);
        Case {
            server: Server::Apache,
            texts: [(name.clone(), text.into_owned())].into(),
            root: name,
            around: &[],
            accepted: false,
        }
    }
}

impl Judge for Apache {
    fn verdict(&self, case: &Case, folder: &Path) -> Result<(), String> {
        match self.httpd.run(&folder.join(&case.root)) {
            (true, _) => Ok(()),
            (false, said) => Err(said),
        }
    }

    fn shorter(&self, case: &Case, _: &Path, said: &str) -> Option<Case> {
        let mut shorter = case.clone();
        let text = shorter.texts.get_mut(&case.root)?;
        *text = without(text, said)?;
        Some(shorter)
    }

    fn told(&self) -> Vec<String> {
        self.told.clone()
    }
}
