//! sqlite-vec, built again with AVX: what it ships is built for any x86-64. The sources are those
//! of its Rust package, which cargo fetches from wherever this machine takes packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::place::{Place, in_path};
use crate::run::{capture, run, say};

/// The version that `xtask/search-rivals.txt` pins.
const VERSION: &str = "0.1.9";

/// The extension as a library; `None`, said aloud, where it cannot be built.
pub(crate) fn rebuilt(place: &Place) -> Result<Option<PathBuf>> {
    let Some(compiler) = in_path("cc").filter(|_| cfg!(all(target_arch = "x86_64", target_os = "linux"))) else {
        say("sqlite-vec is not rebuilt with AVX: that needs x86-64, Linux and a C compiler");
        return Ok(None);
    };
    let folder = place.cache.join("search").join(format!("sqlite-vec-{VERSION}"));
    let library = folder.join("vec0_avx2.so");
    if !library.exists() {
        let source = source(place, &folder)?;
        let unfinished = folder.join("unfinished.so");
        let mut build = Command::new(compiler);
        build.args(["-O3", "-mavx2", "-mfma", "-DSQLITE_VEC_ENABLE_AVX", "-shared", "-fPIC", "-I"]).arg(&source);
        build.arg(source.join("sqlite-vec.c")).arg("-o").arg(&unfinished).arg("-lm");
        run(&mut build, "building sqlite-vec with AVX")?;
        fs::rename(&unfinished, &library).with_context(|| format!("cannot write {}", library.display()))?;
    }
    Ok(Some(library))
}

/// Where cargo keeps the package's sources: a package that needs nothing else asks for it.
fn source(place: &Place, folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let manifest = folder.join("Cargo.toml");
    let text = format!(
        "[workspace]\n[package]\nname = \"rival\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\n\
         [dependencies]\nsqlite-vec = \"={VERSION}\"\n"
    );
    fs::write(&manifest, text)?;
    fs::write(folder.join("lib.rs"), "")?;
    let mut cargo = place.cargo();
    cargo.args(["metadata", "--format-version", "1", "--manifest-path"]).arg(&manifest);
    let metadata: Value = serde_json::from_str(&capture(&mut cargo)?).context("cargo metadata cannot be read")?;
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found = packages.iter().find(|package| package["name"] == "sqlite-vec");
    let manifest = found.and_then(|package| package["manifest_path"].as_str()).context("cargo has no sqlite-vec")?;
    Ok(Path::new(manifest).parent().context("a manifest stands in a folder")?.to_path_buf())
}
