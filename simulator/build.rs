//! Puts the page into the program: makes it with Node if that is needed, then writes a table of its files.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::{env, fs};

/// What the page is made of, below `page/`; `tools/page.mjs` makes it anew if any of these changed.
const SOURCES: [&str; 6] =
    ["src", "index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"];

const NO_NODE: &str = "The page of wx-sim is made with Node.js 18 or newer, which was not found: \
    install it from https://nodejs.org, then build again.";

fn main() {
    if let Err(error) = embed() {
        eprintln!("{error}");
        exit(1);
    }
}

fn embed() -> Result<(), Box<dyn Error>> {
    let page = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("page");
    for source in SOURCES {
        println!("cargo:rerun-if-changed={}", page.join(source).display());
    }
    let dist = page.join("dist");
    make(&page, dist.join("index.html").is_file())?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    // A copy, so that the program can be compiled again while the page is being made again.
    let copy = out.join("page");
    if copy.exists() {
        fs::remove_dir_all(&copy)?;
    }
    let mut table = "&[\n".to_owned();
    copy_files(&dist, &copy, "", &mut table)?;
    table.push_str("]\n");
    fs::write(out.join("page.rs"), table)?;
    Ok(())
}

/// Node looks for itself whether anything is to be done. Without Node, a page that is there will do.
fn make(page: &Path, is_there: bool) -> Result<(), Box<dyn Error>> {
    let run = page.join("../../tools/run.mjs");
    match Command::new("node").arg(run).arg("page").status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`node tools/run.mjs page` ended with {status}.").into()),
        Err(_) if is_there => {
            println!("cargo:warning=Node.js was not found: the page of wx-sim may be older than its sources");
            Ok(())
        }
        Err(_) => Err(NO_NODE.into()),
    }
}

/// Copies a folder; each file becomes a line `("assets/x.js", include_bytes!("…"))`.
fn copy_files(from: &Path, to: &Path, inside: &str, table: &mut String) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(to)?;
    let mut entries = fs::read_dir(from)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().into_string().map_err(|name| format!("{name:?} is no UTF-8"))?;
        let (source, target) = (entry.path(), to.join(&name));
        if source.is_dir() {
            copy_files(&source, &target, &format!("{inside}{name}/"), table)?;
        } else if !name.starts_with('.') {
            fs::copy(&source, &target)?;
            writeln!(table, "    ({:?}, include_bytes!({target:?})),", format!("{inside}{name}"))?;
        }
    }
    Ok(())
}
