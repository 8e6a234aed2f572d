//! Guest images: a Debian root directory made with mmdebstrap, once per recipe.
//!
//! An image is a directory in the cache, named after its recipe's hash, and is
//! never written again: it is the lower layer of every VM's disk. It is made
//! beside its place and renamed when it is complete. One builder works at a
//! time; what an interrupted one left is removed by the next.

mod finish;
mod recipe;

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::{FlockOperation, flock, statvfs, syncfs};

use self::recipe::Recipe;
use crate::teardown::unmount_below;

/// What a build needs at its peak, in bytes.
const NEEDED: u64 = 1 << 30;

/// An image that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// There is no recipe for it.
    #[error("there is no image {0:?}; there are {all}", all = Recipe::names().join(" and "))]
    Unknown(String),
    /// Only root can make device nodes and files of other users.
    #[error("making an image needs root; run this with sudo")]
    NotRoot,
    /// The builder is not installed.
    #[error("mmdebstrap is not installed; apt-get install mmdebstrap")]
    NoBuilder,
    /// Too little room where the image is to be.
    #[error("not enough room for an image in {}: 1 GiB is needed, {} MiB are free", path.display(), free >> 20)]
    DiskFull {
        /// The cache.
        path: PathBuf,
        /// Bytes that are free there.
        free: u64,
    },
    /// No package could be fetched.
    #[error(
        "the package mirror does not answer; check this host's network and its apt sources:\n{0}"
    )]
    Mirror(String),
    /// mmdebstrap failed otherwise.
    #[error("mmdebstrap failed; it said:\n{0}")]
    Build(String),
    /// It ran through, but what it made cannot boot.
    #[error("the image has no {0}; remove the cache and try again")]
    Incomplete(String),
    /// The system refused something.
    #[error("cannot {doing}")]
    Io {
        /// What was being done.
        doing: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl ImageError {
    fn io<E: Into<io::Error>>(doing: String) -> impl FnOnce(E) -> Self {
        move |source| Self::Io { doing, source: source.into() }
    }
}

/// The directory of the image `name` (such as `debian12`), made first if the
/// cache has none, which takes half a minute and the network. `progress` is
/// told what is being done, a line at a time.
pub fn ensure(
    name: &str,
    cache: &Path,
    progress: &dyn Fn(&str),
) -> Result<PathBuf, ImageError> {
    let recipe =
        Recipe::find(name).ok_or_else(|| ImageError::Unknown(name.to_owned()))?;
    make(&recipe, Path::new("mmdebstrap"), cache, progress)
}

/// The same with a builder of the caller's choice.
fn make(
    recipe: &Recipe,
    builder: &Path,
    cache: &Path,
    progress: &dyn Fn(&str),
) -> Result<PathBuf, ImageError> {
    let name = recipe.name;
    let images = cache.join("images");
    let place = images.join(format!("{name}-{:016x}", recipe.hash()));
    if place.is_dir() {
        return Ok(place);
    }
    if !rustix::process::geteuid().is_root() {
        return Err(ImageError::NotRoot);
    }
    fs::create_dir_all(&images)
        .map_err(ImageError::io(format!("make {}", images.display())))?;
    let lock = lock(&images.join(format!("{name}.lock")), progress)?;
    if place.is_dir() {
        // Whoever held the lock has made it.
        return Ok(place);
    }
    let site = images.join(format!(".building-{name}"));
    clear(&site)?;
    let free = free_bytes(&images)?;
    if free < NEEDED {
        return Err(ImageError::DiskFull { path: images, free });
    }
    let built = build(recipe, builder, &site, &lock, progress).and_then(|()| {
        progress("finishing the image");
        finish::finish(&site, recipe)
    });
    if let Err(error) = built {
        clear(&site)?;
        return Err(error);
    }
    fs::rename(&site, &place)
        .map_err(ImageError::io(format!("make {}", place.display())))?;
    Ok(place)
}

fn lock(path: &Path, progress: &dyn Fn(&str)) -> Result<File, ImageError> {
    let doing = || format!("lock {}", path.display());
    let file = File::create(path).map_err(ImageError::io(doing()))?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        progress("waiting for another process that is making this image");
        flock(&file, FlockOperation::LockExclusive).map_err(ImageError::io(doing()))?;
    }
    Ok(file)
}

/// Removes an unfinished image, with what mmdebstrap may have mounted in it.
fn clear(site: &Path) -> Result<(), ImageError> {
    let doing = || format!("remove the unfinished image {}", site.display());
    unmount_below(site)
        .map_err(|error| ImageError::io(doing())(io::Error::other(error)))?;
    match fs::remove_dir_all(site) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ImageError::io(doing())(error))
        }
        _ => Ok(()),
    }
}

fn build(
    recipe: &Recipe,
    builder: &Path,
    site: &Path,
    lock: &File,
    progress: &dyn Fn(&str),
) -> Result<(), ImageError> {
    let doing = || "run mmdebstrap".to_owned();
    // The lock is held by whoever has the file open. mmdebstrap gets it as its
    // standard input, which it does not read: should this process be killed,
    // the next builder waits until mmdebstrap has ended too.
    let lock = lock.try_clone().map_err(ImageError::io(doing()))?;
    let mut child = Command::new(builder)
        .args(["--mode=root", "--variant=minbase", "--format=directory"])
        .args([
            "--aptopt=Acquire::Retries \"2\"",
            "--aptopt=Acquire::http::Timeout \"20\"",
        ])
        .arg(format!("--include={}", recipe.packages.join(",")))
        .arg(recipe.suite)
        .arg(site)
        .args(recipe.sources())
        .stdin(lock)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ImageError::NoBuilder,
            _ => ImageError::io(doing())(source),
        })?;
    let mut said = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        for line in BufReader::new(stderr).split(b'\n') {
            let line = line.map_err(ImageError::io(doing()))?;
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if let Some(step) = line.strip_prefix("I: ") {
                progress(step);
            }
            said.push(line);
        }
    }
    let status = child.wait().map_err(ImageError::io(doing()))?;
    if status.success() {
        return sync(site);
    }
    Err(explain(&said, site))
}

/// Which of the usual reasons it was, by what mmdebstrap and apt said.
fn explain(said: &[String], site: &Path) -> ImageError {
    let has = |words: &[&str]| {
        said.iter().any(|line| words.iter().any(|word| line.contains(word)))
    };
    if has(&["No space left on device", "enough free space"]) {
        let free = free_bytes(site.parent().unwrap_or(site)).unwrap_or(0);
        return ImageError::DiskFull {
            path: site.parent().unwrap_or(site).to_owned(),
            free,
        };
    }
    let errors: Vec<&str> = said
        .iter()
        .map(String::as_str)
        .filter(|line| {
            line.starts_with("E:") || line.starts_with("W:") || line.starts_with("Err:")
        })
        .collect();
    let tail = if errors.is_empty() {
        said[said.len().saturating_sub(8)..].join("\n")
    } else {
        errors[errors.len().saturating_sub(8)..].join("\n")
    };
    let unreachable = [
        "Temporary failure resolving",
        "Could not resolve",
        "Could not connect",
        "Unable to connect",
        "Connection timed out",
        "Connection failed",
        "Failed to fetch",
        "Cannot initiate the connection",
    ];
    if has(&unreachable) { ImageError::Mirror(tail) } else { ImageError::Build(tail) }
}

fn free_bytes(path: &Path) -> Result<u64, ImageError> {
    let stat = statvfs(path)
        .map_err(ImageError::io(format!("look for room in {}", path.display())))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Every file must be on the disk before the rename says that they are.
fn sync(site: &Path) -> Result<(), ImageError> {
    let doing = || format!("write {} to the disk", site.display());
    let directory = File::open(site).map_err(ImageError::io(doing()))?;
    syncfs(&directory).map_err(ImageError::io(doing()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_mirror_that_does_not_answer_is_told_from_other_failures() {
        let said =
            |line: &str| vec!["I: running apt-get update...".to_owned(), line.to_owned()];
        let of = |line| explain(&said(line), Path::new("/"));
        assert!(matches!(
            of("E: Failed to fetch x  Temporary failure resolving 'y'"),
            ImageError::Mirror(_)
        ));
        assert!(matches!(
            of("dpkg: error: cannot write: No space left on device"),
            ImageError::DiskFull { .. }
        ));
        assert!(
            matches!(of("E: Unable to locate package frobnicate"), ImageError::Build(text) if text.ends_with("frobnicate"))
        );
    }

    /// A builder that says and does what the test wants, instead of mmdebstrap.
    /// Its site is the argument after the suite.
    fn builder(cache: &Path, script: &str) -> PathBuf {
        let path = cache.join("builder");
        let text = format!(
            "#!/bin/sh\nfor site; do case $site in */images/.building-*) break; esac; done\n{script}\n"
        );
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    const GOOD: &str = "mkdir -p $site/usr/sbin $site/usr/lib/systemd $site/etc/ssh $site/var/lib/dbus
        touch $site/usr/sbin/sshd $site/usr/sbin/nft $site/usr/lib/systemd/systemd
        touch $site/etc/ssh/ssh_host_rsa_key; echo root::1: >$site/etc/shadow; echo 'I: done' >&2";

    fn made_with(cache: &Path, script: &str) -> Result<PathBuf, ImageError> {
        make(&Recipe::find("debian12").unwrap(), &builder(cache, script), cache, &|_| {})
    }

    fn images(cache: &Path) -> Vec<String> {
        let entries = fs::read_dir(cache.join("images")).unwrap();
        let names =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.ends_with(".lock")).collect()
    }

    #[test]
    fn an_image_is_made_once_and_has_no_host_key() {
        let cache = tempfile::tempdir().unwrap();
        let image = made_with(cache.path(), GOOD).unwrap();
        assert!(!image.join("etc/ssh/ssh_host_rsa_key").exists());
        assert_eq!(made_with(cache.path(), "exit 1").unwrap(), image);
    }

    #[test]
    fn what_an_interrupted_builder_left_is_removed() {
        let cache = tempfile::tempdir().unwrap();
        let left = cache.path().join("images/.building-debian12/half");
        fs::create_dir_all(&left).unwrap();
        let image = made_with(cache.path(), GOOD).unwrap();
        assert!(!image.join("half").exists());
        assert_eq!(images(cache.path()).len(), 1);
    }

    #[test]
    fn a_failed_build_leaves_nothing_and_the_next_one_works() {
        let cache = tempfile::tempdir().unwrap();
        let failed = made_with(
            cache.path(),
            "mkdir $site; echo 'E: no such package' >&2; exit 25",
        );
        assert!(
            matches!(failed, Err(ImageError::Build(text)) if text == "E: no such package")
        );
        let incomplete = made_with(cache.path(), "mkdir $site");
        assert!(
            matches!(incomplete, Err(ImageError::Incomplete(what)) if what == "/usr/sbin/sshd")
        );
        assert_eq!(images(cache.path()), Vec::<String>::new());
        made_with(cache.path(), GOOD).unwrap();
    }

    #[test]
    fn a_missing_builder_is_named_with_its_package() {
        let cache = tempfile::tempdir().unwrap();
        let recipe = Recipe::find("debian12").unwrap();
        let error =
            make(&recipe, Path::new("/nonexistent"), cache.path(), &|_| {}).unwrap_err();
        assert_eq!(
            error.to_string(),
            "mmdebstrap is not installed; apt-get install mmdebstrap"
        );
    }

    #[test]
    fn an_unknown_image_is_refused_before_anything_is_made() {
        let cache = tempfile::tempdir().unwrap();
        let error = ensure("plan9", cache.path(), &|_| {}).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no image \"plan9\"; there are debian12 and debian13"
        );
        assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 0);
    }
}
