//! Writes a tree to disk: `write_trees (nginx|apache) SHAPE COUNT FOLDER`.
//!
//! For `compare.sh` and for profiles. The folder must not exist yet.
#![allow(missing_docs, clippy::print_stderr, dead_code, unreachable_pub)]

#[path = "mod.rs"]
mod trees;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use trees::{Kind, Shape, tree};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match write(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("write_trees: {error}");
            ExitCode::from(2)
        }
    }
}

fn write(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let [kind, shape, count, folder] = arguments else {
        return Err("give: (nginx|apache) SHAPE COUNT FOLDER".into());
    };
    let kind = Kind::named(kind).ok_or("the server is nginx or apache")?;
    let shape = Shape::named(shape).ok_or("unknown shape")?;
    fs::create_dir(folder)?;
    fs::create_dir(Path::new(folder).join("sites"))?;
    fs::create_dir(Path::new(folder).join("snippets"))?;
    fs::create_dir(Path::new(folder).join("own"))?;
    for (path, text) in tree(kind, shape, count.parse()?, folder) {
        fs::write(path, text)?;
    }
    Ok(())
}
