//! What gets this program into VMs: as a layer of an image, with two units, or as the
//! content of an extension package that Microsoft's agent unpacks and runs.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

const BINARY: &str = "usr/sbin/regain-guest";
const UNITS: &str = "etc/systemd/system";

/// Name, text, and the target that starts it.
const UNIT_FILES: [(&str, &str, &str); 2] = [
    (
        "regain-guest.service",
        include_str!("../layer/etc/systemd/system/regain-guest.service"),
        "multi-user.target.wants",
    ),
    (
        "regain-provision.service",
        include_str!("../layer/etc/systemd/system/regain-provision.service"),
        "sysinit.target.wants",
    ),
];

/// Written beside the binary, this makes a directory an extension of Microsoft's agent.
const MANIFEST: &str = include_str!("../layer/HandlerManifest.json");

/// Why a layer or package could not be written.
#[derive(Debug, thiserror::Error)]
#[error("could not {action} {path}", path = path.display())]
pub struct LayerError {
    action: &'static str,
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

/// Writes the layer to `dir`; `program` is the binary to copy. What is there already is
/// replaced.
pub fn write(dir: &Path, program: &Path) -> Result<(), LayerError> {
    let binary = dir.join(BINARY);
    for path in [parent(&binary), &dir.join(UNITS)] {
        fs::create_dir_all(path).map_err(failed("make", path))?;
    }
    install(program, &binary)?;
    for (name, text, target) in UNIT_FILES {
        let unit = dir.join(UNITS).join(name);
        fs::write(&unit, text).map_err(failed("write", &unit))?;
        let link = dir.join(UNITS).join(target).join(name);
        fs::create_dir_all(parent(&link)).map_err(failed("make", parent(&link)))?;
        let _ = fs::remove_file(&link);
        symlink(Path::new("/").join(UNITS).join(name), &link)
            .map_err(failed("make the link", &link))?;
    }
    Ok(())
}

/// Writes the content of a VMAccess package to `dir`: `program` and a manifest. Zipped,
/// it is what Microsoft's agent expects at an extension's address.
pub fn write_package(dir: &Path, program: &Path) -> Result<(), LayerError> {
    fs::create_dir_all(dir).map_err(failed("make", dir))?;
    install(program, &dir.join("regain-guest"))?;
    let manifest = dir.join("HandlerManifest.json");
    fs::write(&manifest, MANIFEST).map_err(failed("write", &manifest))
}

/// A running agent keeps its old file open, so the name is given to a new one.
fn install(program: &Path, binary: &Path) -> Result<(), LayerError> {
    let temporary = binary.with_extension("new");
    fs::copy(program, &temporary).map_err(failed("copy the program to", &temporary))?;
    fs::set_permissions(&temporary, fs::Permissions::from_mode(0o755))
        .map_err(failed("set the mode of", &temporary))?;
    fs::rename(&temporary, binary).map_err(failed("replace", binary))
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

fn failed(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(std::io::Error) -> LayerError {
    let path = path.to_owned();
    move |source| LayerError { action, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_names_its_own_program() {
        let dir = tempfile::tempdir().expect("tempdir");
        let program = dir.path().join("program");
        fs::write(&program, "binary").expect("write");
        let package = dir.path().join("package");
        write_package(&package, &program).expect("package");
        let manifest = fs::read(package.join("HandlerManifest.json")).expect("manifest");
        let manifest: serde_json::Value =
            serde_json::from_slice(&manifest).expect("json");
        let command =
            manifest[0]["handlerManifest"]["enableCommand"].as_str().expect("text");
        let program = command.split(' ').next().expect("a word");
        assert_eq!(fs::read(package.join(program)).expect("copied"), b"binary");
    }

    #[test]
    fn a_layer_can_be_written_twice() {
        let dir = tempfile::tempdir().expect("tempdir");
        let program = dir.path().join("program");
        fs::write(&program, "binary").expect("write");
        let layer = dir.path().join("layer");
        for _ in 0..2 {
            write(&layer, &program).expect("layer");
        }
        let binary = layer.join(BINARY);
        assert_eq!(fs::read(&binary).expect("copied"), b"binary");
        let mode = fs::metadata(&binary).expect("copied").permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        for (name, _, target) in UNIT_FILES {
            let link = layer.join(UNITS).join(target).join(name);
            let to = fs::read_link(&link).expect("enabled");
            let unit = layer.join(to.strip_prefix("/").expect("absolute"));
            assert!(fs::read_to_string(unit).expect("unit").contains(BINARY));
        }
    }
}
