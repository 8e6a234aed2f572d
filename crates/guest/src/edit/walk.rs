//! The way to a directory, one name at a time, below a root that it never leaves.
//!
//! While every directory so far belongs to root and nobody else can write there, this
//! is root's land: a link there is root's decision and is followed. Behind the first
//! directory that somebody else can change it is a user's land, where a link may have
//! been planted, and none is followed. The edits of `rescue` go by the same rule.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

/// Links that are followed before a path counts as a loop, as in Linux.
pub(super) const LINK_LIMIT: usize = 40;
/// The bits with which group or others may write.
pub(crate) const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Who can change what lies in a directory, or where the way to it leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Land {
    /// Root alone.
    Root,
    /// Somebody else too.
    User,
}

/// A directory that was walked to.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) dir: OwnedFd,
    /// Its path below the root, without links.
    pub(super) path: PathBuf,
    pub(super) land: Land,
}

/// Walks to a directory; `None`: there is none.
pub(super) fn directory(root: &Path, path: &Path) -> io::Result<Option<Way>> {
    let mut steps = vec![top(root)?];
    let mut todo: VecDeque<OsString> = names(path).map(OsStr::to_owned).collect();
    let mut links = 0;
    while let Some(name) = todo.pop_front() {
        if name == ".." {
            // Above the root is the root.
            if steps.len() > 1 {
                steps.pop();
            }
            continue;
        }
        let Some(here) = steps.last() else { break };
        match open(&here.dir, &name) {
            Ok(dir) => {
                let land = below(here.land, &dir)?;
                let path = here.path.join(name);
                steps.push(Way { dir, path, land });
            }
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::NOTDIR | Errno::LOOP) => {
                let target = link(&here.dir, &name)?.ok_or(Errno::NOTDIR)?;
                may_follow(here.land)?;
                links += 1;
                if links > LINK_LIMIT {
                    return Err(Errno::LOOP.into());
                }
                if target.is_absolute() {
                    steps.truncate(1);
                }
                for name in names(&target).collect::<Vec<_>>().into_iter().rev() {
                    todo.push_front(name.to_owned());
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(steps.pop())
}

/// Where a link leads; `None`: the name is no link.
pub(super) fn link(dir: &OwnedFd, name: &OsStr) -> Result<Option<PathBuf>, Errno> {
    match rustix::fs::readlinkat(dir, name, Vec::new()) {
        Ok(target) => Ok(Some(OsString::from_vec(target.into_bytes()).into())),
        Err(Errno::INVAL | Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether root goes where a link leads.
pub(super) fn may_follow(land: Land) -> io::Result<()> {
    match land {
        Land::Root => Ok(()),
        Land::User => Err(io::Error::other(
            "a link on the way lies in a directory that others than root can change, \
             and is not followed",
        )),
    }
}

/// Whose land a directory in it is.
pub(super) fn below(land: Land, dir: &OwnedFd) -> Result<Land, Errno> {
    let stat = rustix::fs::fstat(dir)?;
    let roots = stat.st_uid == 0 && stat.st_mode & WRITABLE_BY_OTHERS == 0;
    Ok(if land == Land::Root && roots { Land::Root } else { Land::User })
}

fn top(root: &Path) -> Result<Way, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = rustix::fs::open(root, flags, Mode::empty())?;
    let land = below(Land::Root, &dir)?;
    Ok(Way { dir, path: "/".into(), land })
}

fn open(dir: &OwnedFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(dir, name, flags, Mode::empty())
}

fn names(path: &Path) -> impl Iterator<Item = &OsStr> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name),
        Component::ParentDir => Some(OsStr::new("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("tempdir");
        for dir in ["etc/real", "home/ann", "open"] {
            std::fs::create_dir_all(root.path().join(dir)).expect("mkdir");
        }
        let open = root.path().join("open");
        std::fs::set_permissions(open, PermissionsExt::from_mode(0o777)).expect("chmod");
        let ann = rustix::fs::Uid::from_raw(1000);
        rustix::fs::chown(root.path().join("home/ann"), Some(ann), None).expect("chown");
        root
    }

    fn walked(
        root: &tempfile::TempDir,
        path: &str,
    ) -> io::Result<Option<(String, Land)>> {
        let way = directory(root.path(), Path::new(path))?;
        Ok(way.map(|way| (way.path.to_string_lossy().into_owned(), way.land)))
    }

    #[test]
    fn roots_links_are_followed_inside_the_root() {
        let root = tree();
        symlink("/etc", root.path().join("abs")).expect("link");
        symlink("../../../../etc/real", root.path().join("etc/up")).expect("link");
        let real = Some(("/etc/real".to_owned(), Land::Root));
        for path in ["/abs/real", "/etc/up", "/home/../abs/real", "/etc/real/../up"] {
            assert_eq!(walked(&root, path).expect(path), real, "{path}");
        }
        assert_eq!(walked(&root, "/etc/none/x").expect("nothing"), None);
    }

    #[test]
    fn a_users_link_is_not_followed_and_roots_land_ends_there() {
        let root = tree();
        for place in ["home/ann", "open"] {
            symlink("/etc", root.path().join(place).join("l")).expect("link");
            let refused = walked(&root, &format!("/{place}/l/real")).expect_err(place);
            assert!(refused.to_string().contains("not followed"), "{refused}");
            std::fs::create_dir(root.path().join(place).join("d")).expect("mkdir");
            let (_, land) =
                walked(&root, &format!("/{place}/d")).expect("walked").expect("there");
            assert_eq!(land, Land::User);
        }
        // Out of it again.
        let (_, land) =
            walked(&root, "/home/ann/../../etc").expect("walked").expect("is");
        assert_eq!(land, Land::Root);
    }

    #[test]
    fn a_loop_and_a_file_end_the_way() {
        let root = tree();
        symlink("b", root.path().join("a")).expect("link");
        symlink("a", root.path().join("b")).expect("link");
        assert!(walked(&root, "/a/x").is_err());
        std::fs::write(root.path().join("file"), "").expect("write");
        assert!(walked(&root, "/file/x").is_err());
    }
}
