//! Shows each line of the course's Go programs beside the Rust line that corresponds to it.

fn main() -> std::process::ExitCode {
    threadline::sidebyside::main()
}
