//! The emulator as a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Ends the process, however the test ends.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn emulator(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emulator"));
    command.args(words).stdin(Stdio::null());
    command
}

#[test]
fn the_first_line_is_the_address() {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/acme/snapshot");
    let mut command =
        emulator(&["--account", sample, "--port=0", "--job-seconds", "1-8", "--rate", "20", "--burst", "50"]);
    let mut process = Ended(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("http://").unwrap().to_owned();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let request = "GET /_emulator/state HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    assert!(answer.contains("\"account\":\"111122223333\"") && answer.contains("\"roles\":39"), "{answer}");
}

#[test]
fn what_cannot_be_understood_or_read_is_told() {
    let output = emulator(&["--magic"]).output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&output.stderr).contains("unknown option `--magic`"));
    let output = emulator(&["--account", "/nowhere"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("account-authorization-details.json"));
    let output = emulator(&["--now", "soon"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}
