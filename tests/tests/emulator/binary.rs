//! The emulator as a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// An emulator in a process of its own, which ends however the test ends.
pub struct Emulator {
    process: Child,
    pub port: u16,
}

impl Emulator {
    pub fn start(words: &[&str]) -> Self {
        let mut process = command(words).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().strip_prefix("http://127.0.0.1:").and_then(|port| port.parse().ok());
        Self { process, port: port.unwrap() }
    }

    /// Its resident memory in kB, where the system tells.
    pub fn resident(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().trim_end_matches(" kB").parse().ok())
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_emulator"));
    command.args(words).stdin(Stdio::null());
    command
}

#[test]
fn the_first_line_is_the_address() {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/acme/snapshot");
    let words = ["--account", sample, "--port=0", "--job-seconds", "1-8", "--rate", "20", "--burst", "50"];
    let emulator = Emulator::start(&words);
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", emulator.port)).unwrap();
    let request = "GET /_emulator/state HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    assert!(answer.contains("\"account\":\"111122223333\"") && answer.contains("\"roles\":39"), "{answer}");
}

#[test]
fn what_cannot_be_understood_or_read_is_told() {
    let output = command(&["--magic"]).output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&output.stderr).contains("unknown option `--magic`"));
    let output = command(&["--account", "/nowhere"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("account-authorization-details.json"));
    let output = command(&["--now", "soon"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}
