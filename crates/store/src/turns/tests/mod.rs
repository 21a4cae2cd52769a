use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};

fn database() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("doorcode.db");
    (folder, path)
}

#[test]
fn one_server_has_a_database() {
    let (_folder, path) = database();
    let first = Turns::of_server(&path).unwrap();
    let own = std::process::id().to_string();
    let refused = Turns::of_server(&path).unwrap_err();
    assert!(matches!(refused, LockRefusal::Server(id) if id == own));
    for extension in ["lock", "sock"] {
        let file = fs::metadata(beside(&path, extension)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, MODE, "{extension}");
    }
    drop(first);
    // Files that an ended server left block nothing.
    let command = Turns::of_command(&path).unwrap();
    assert!(!command.is_beside_server());
    let second = Turns::of_command(&path).unwrap();
    drop((command, second));
    Turns::of_server(&path).unwrap();
}

/// A database has one lock under all its names, and its owner may use it. The lock is no link.
#[test]
fn lock_belongs_to_the_database() {
    let (folder, path) = database();
    fs::write(&path, "").unwrap();
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let server = Turns::of_server(&path).unwrap();
    assert!(Turns::of_server(&link).is_err());
    assert!(Turns::of_command(&link).unwrap().is_beside_server());
    drop(server);
    // As root; without its rights the owner stays, and is the same.
    let _ = std::os::unix::fs::chown(&path, Some(1234), Some(1234));
    drop(Turns::of_command(&link).unwrap());
    let [lock, data] = [beside(&path, "lock"), path.clone()];
    let owner = |path: &Path| {
        fs::metadata(path)
            .map(|file| (file.uid(), file.gid()))
            .unwrap()
    };
    assert_eq!(owner(&lock), owner(&data));

    let foreign = folder.path().join("foreign");
    fs::write(&foreign, "theirs").unwrap();
    fs::remove_file(&lock).unwrap();
    std::os::unix::fs::symlink(&foreign, &lock).unwrap();
    assert!(Turns::of_command(&path).is_err());
    assert_eq!(fs::read_to_string(&foreign).unwrap(), "theirs");
}

/// A server that writes all the time and several commands write one at a time, and each of them
/// gets its turn.
#[test]
fn commands_get_turns_beside_a_busy_server() {
    const TURNS: usize = 20;
    let (_folder, path) = database();
    let server = Turns::of_server(&path).unwrap();
    let (writers, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let write = |turns: &Turns| {
        let turn = turns.wait();
        assert_eq!(writers.fetch_add(1, Ordering::SeqCst), 0);
        thread::yield_now();
        assert_eq!(writers.fetch_sub(1, Ordering::SeqCst), 1);
        drop(turn);
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let command = Turns::of_command(&path).unwrap();
                assert!(command.is_beside_server());
                for _ in 0..TURNS {
                    write(&command);
                }
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
        let mut own = 0;
        while done.load(Ordering::SeqCst) < 4 {
            write(&server);
            own += 1;
        }
        // The server is not starved either.
        assert!(own >= TURNS, "{own}");
    });
}

/// A command that ends in its turn keeps none, and one that finds no server any more continues.
#[test]
fn command_that_ends_gives_its_turn_back() {
    let (_folder, path) = database();
    let server = Turns::of_server(&path).unwrap();
    let command = Turns::of_command(&path).unwrap();
    let turn = command.wait();
    assert!(matches!(turn, Turn::Borrowed(_)));
    drop(turn);
    drop(server.wait());
    fs::remove_file(beside(&path, "sock")).unwrap();
    assert!(matches!(command.wait(), Turn::Free));
}
