//! What undoing a repair restores, and what it leaves alone.

use super::*;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

fn root() -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("tempdir");
    std::fs::create_dir_all(root.path().join("etc/dir/sub")).expect("mkdir");
    std::fs::write(root.path().join("etc/file"), "before").expect("write");
    std::fs::write(root.path().join("etc/dir/sub/f"), "deep").expect("write");
    let mode = PermissionsExt::from_mode(0o640);
    std::fs::set_permissions(root.path().join("etc/file"), mode).expect("chmod");
    symlink("file", root.path().join("etc/link")).expect("link");
    root
}

/// Paths, kinds, modes and contents of everything below `etc`.
fn picture(root: &Path) -> Vec<(PathBuf, u32, Vec<u8>)> {
    let (mut todo, mut seen) = (vec![root.join("etc")], Vec::new());
    while let Some(path) = todo.pop() {
        let meta = path.symlink_metadata().expect("stat");
        let content = if meta.is_dir() {
            todo.extend(
                std::fs::read_dir(&path).expect("dir").flatten().map(|e| e.path()),
            );
            Vec::new()
        } else if meta.is_symlink() {
            path.read_link().expect("link").into_os_string().into_encoded_bytes()
        } else {
            std::fs::read(&path).expect("read")
        };
        seen.push((path, meta.mode(), content));
    }
    seen.sort();
    seen
}

fn change_everything(journal: &mut Journal) {
    let new = Attributes::root(0o600);
    journal.write("/etc/file", b"after", &new).expect("write");
    journal.write("/etc/file", b"after that", &new).expect("write twice");
    journal.write("/etc/new", b"new", &new).expect("create");
    journal.take_away("/etc/link").expect("link");
    journal.link("/etc/link", Path::new("/elsewhere")).expect("relink");
    journal.take_away("/etc/dir").expect("directory");
    journal.take_away("/etc/none").expect("nothing");
    let place = journal.place("/etc").expect("place");
    let opened = place.open().expect("open").expect("exists");
    let attributes = opened.attributes();
    journal
        .set_attributes(&opened, &Attributes { mode: 0o700, ..attributes })
        .expect("chmod");
    journal.keep("/etc/file").expect("keep");
    std::fs::write(journal.root.join("etc/file"), "by somebody else").expect("write");
}

#[test]
fn undo_brings_everything_back() {
    let root = root();
    let before = picture(root.path());
    let mut journal = Journal::begin(root.path(), "test").expect("begin");
    change_everything(&mut journal);
    let id = journal.commit().expect("commit");
    assert_ne!(picture(root.path()), before);
    assert_eq!(newest(root.path(), "test").expect("kept").0, id);
    undo(root.path(), &id).expect("undo");
    assert_eq!(picture(root.path()), before);
    assert!(matches!(undo(root.path(), &id), Err(UndoError::Undone(_))));
    assert!(newest(root.path(), "test").is_none());
}

#[test]
fn a_dropped_journal_takes_its_changes_back() {
    let root = root();
    let before = picture(root.path());
    let mut journal = Journal::begin(root.path(), "test").expect("begin");
    change_everything(&mut journal);
    drop(journal);
    assert_eq!(picture(root.path()), before);
}

#[test]
fn a_crash_leaves_a_journal_that_can_be_undone() {
    let root = root();
    let before = picture(root.path());
    let mut journal = Journal::begin(root.path(), "test").expect("begin");
    change_everything(&mut journal);
    let id = journal.id.clone();
    // The process dies, in the middle of writing a line.
    journal.file.write_all(b"{\"abs").expect("cut line");
    std::mem::forget(journal);
    undo(root.path(), &id).expect("undo");
    assert_eq!(picture(root.path()), before);
}

#[test]
fn only_journals_can_be_undone() {
    let root = root();
    for id in ["", "..", "../../etc", "20260101T000000-0000"] {
        assert!(matches!(undo(root.path(), id), Err(UndoError::Unknown(_))), "{id:?}");
    }
}

#[test]
fn old_journals_are_pruned_and_strangers_are_not() {
    let root = root();
    let stranger = directory(root.path()).expect("found").join("0-rescue/1");
    std::fs::create_dir_all(&stranger).expect("mkdir");
    for _ in 0..KEPT + 3 {
        Journal::begin(root.path(), "test").expect("begin").commit().expect("commit");
    }
    assert_eq!(ids(root.path()).len(), KEPT);
    assert!(stranger.exists());
}
