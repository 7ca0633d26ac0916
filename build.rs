//! Turns grammars/ into static tables, or fails the build with the file and the row.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

#[allow(dead_code, unreachable_pub)]
#[path = "src/catalog/names.rs"]
mod names;
#[allow(dead_code, unreachable_pub)]
#[path = "src/catalog/schema/mod.rs"]
mod schema;
#[allow(dead_code, unreachable_pub)]
#[path = "src/catalog/validity.rs"]
mod validity;
#[allow(dead_code, unreachable_pub)]
#[path = "src/catalog/version.rs"]
mod version;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=grammars");
    println!("cargo::rerun-if-changed=src/catalog");
    match generate() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            for problem in problems {
                println!("cargo::error={problem}");
            }
            ExitCode::FAILURE
        }
    }
}

fn generate() -> Result<(), Vec<String>> {
    let root = env::var("CARGO_MANIFEST_DIR").map_err(|error| vec![error.to_string()])?;
    let files = schema::read(&Path::new(&root).join("grammars"))?;
    let tables = schema::load(&files)?;
    let out = env::var("OUT_DIR").map_err(|error| vec![error.to_string()])?;
    let path = Path::new(&out).join("catalog.rs");
    fs::write(&path, schema::emit::code(&tables))
        .map_err(|error| vec![format!("{}: {error}", path.display())])
}
