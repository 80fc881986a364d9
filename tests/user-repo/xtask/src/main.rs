fn main() -> std::process::ExitCode {
    secateur::xtask::main()
}
