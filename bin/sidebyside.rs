//! Every line of the course's Go programs beside its line here.

fn main() -> std::process::ExitCode {
    threadline::sidebyside::main()
}
