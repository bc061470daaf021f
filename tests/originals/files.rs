//! Files sent and described, by Go's programs and by ours.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use tempfile::tempdir;

use crate::common::program::{Program, text};
use crate::common::random::Random;
use crate::mixes::{Run, same_in_all_mixes};
use crate::side::Side;

#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn empty_file() {
    same_in_all_mixes(|server, client| transfer(server, client, "empty.txt", b""));
}

#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn one_byte() {
    same_in_all_mixes(|server, client| transfer(server, client, "one", b"1"));
}

#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn five_megabytes() {
    let contents = Random(5).bytes(5 * 1024 * 1024);
    same_in_all_mixes(|server, client| transfer(server, client, "random.bin", &contents));
}

#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn name_in_chinese() {
    same_in_all_mixes(|server, client| transfer(server, client, "网络编程.txt", "不是".as_bytes()));
}

/// Go's client cuts the name at the space, so that only ours can send such a file, to either.
#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn name_with_spaces() {
    let name = " a name  with spaces .txt";
    let go = transfer(Side::Go, Side::Ours, name, b"spaces");
    assert_eq!(transfer(Side::Ours, Side::Ours, name, b"spaces"), go);
}

/// Sends one file, typed in at the prompt, to a server that keeps it in its working folder, and
/// checks that the receiving folder then holds that file and nothing else.
fn transfer(server: Side, client: Side, name: &str, contents: &[u8]) -> Run {
    let sent = tempdir().expect("cannot make a folder");
    let received = tempdir().expect("cannot make a folder");
    fs::create_dir(sent.path().join("sub")).expect("cannot make a folder");
    fs::write(sent.path().join("sub").join(name), contents).expect("cannot write the file");

    let mut command = server.command("file_server");
    let server = Program::serve(command.current_dir(received.path()));
    let mut command = client.command("file_client");
    command.arg(server.addr().to_string());
    let mut client = Program::spawn(command.current_dir(sent.path()));
    client.wait_for_stdout("请输入需要传输的文件：\n", 1);
    client.input(format!("sub/{name}\n"));
    let run = Run::ended(server, client);

    let files: Vec<_> = fs::read_dir(received.path())
        .expect("cannot read the folder")
        .map(|entry| entry.expect("cannot read the folder").file_name())
        .collect();
    assert_eq!(files, [name], "{run:?}");
    let file = fs::read(received.path().join(name)).expect("cannot read the file");
    assert!(
        file == contents,
        "{} bytes sent, {} others received: {run:?}",
        contents.len(),
        file.len()
    );
    run
}

#[test]
#[ignore = "needs GO and GO_ARTICLE"]
fn file_stat() {
    let dir = tempdir().expect("cannot make a folder");
    let odd = std::ffi::OsStr::from_bytes(b"not \xff UTF-8");
    fs::create_dir(dir.path().join("sub")).expect("cannot make a folder");
    fs::write(dir.path().join("empty"), b"").expect("cannot write a file");
    fs::write(dir.path().join("sub/网络 编程.txt"), vec![0; 123_456]).expect("cannot write a file");
    fs::write(dir.path().join(odd), b"odd").expect("cannot write a file");
    symlink("sub/网络 编程.txt", dir.path().join("link")).expect("cannot make a link");

    let stat = |side: Side, file: &Path| {
        let mut command = side.command("file_stat");
        let program = Program::spawn(command.arg(file).current_dir(dir.path()));
        program.wait_end();
        program.stdout()
    };
    let absolute = dir.path().join("sub/网络 编程.txt");
    let files = [
        "empty",
        "sub/网络 编程.txt",
        "link",
        "sub",
        "sub/",
        "sub/..",
        ".",
        "/",
        "./empty",
        "sub//../empty",
    ];
    let files = files
        .iter()
        .map(Path::new)
        .chain([absolute.as_path(), Path::new(odd)]);
    for file in files {
        let go = stat(Side::Go, file);
        assert!(go.contains("文件size为： "), "{file:?}: {go}");
        assert_eq!(
            stat(Side::Ours, file),
            go,
            "of {}",
            text(file.as_os_str().as_bytes())
        );
    }
}
