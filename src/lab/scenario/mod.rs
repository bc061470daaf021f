//! The scenarios: a table of them, one file per kind of load, and what they share.

pub mod chat;
pub mod churn;
pub mod drive;
pub mod echo;
pub mod login;
pub mod session;

use std::io;

use crate::lab::load::protocol::Protocol;
use crate::lab::results::record::Round;
use drive::RoundPlan;
use session::Session;

/// A scenario, which is measured in rounds.
#[derive(Debug)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, for help and the page.
    pub about: &'static str,
    pub examples: &'static str,
    /// Defaults of its options, with which it ends within 30 seconds.
    pub defaults: &'static str,
    /// Options that mean nothing in it.
    pub without: &'static str,
    /// The protocol of its servers.
    pub protocol: Protocol,
    /// Drives one round.
    pub round: fn(&mut Session<'_>, &RoundPlan) -> io::Result<Round>,
}

pub const SCENARIOS: [Scenario; 5] = [
    Scenario {
        name: "chat",
        about: "Chat room: every message goes to every client",
        examples: "loadtest chat -c 10,100,1000 --floor --html report.html
  loadtest chat -c 100 --rate 1000 --fail-if 'p99>50ms' --fail-if 'lost>0'",
        defaults: "clients=10,100,1000 duration=2s senders=10",
        without: "stalled",
        protocol: Protocol::Chat,
        round: chat::round,
    },
    Scenario {
        name: "echo",
        about: "Echo: each connection sends a line and waits for it in upper case",
        examples: "loadtest echo -c 1,100,1000 --floor
  loadtest echo --addr 127.0.0.1:9000 -c 100 --rate 10k --json run.json",
        defaults: "clients=1,100,1000 duration=2s",
        without: "senders stalled nodes",
        protocol: Protocol::Echo,
        round: echo::round,
    },
    Scenario {
        name: "idle",
        about: "Silent chat clients: memory, threads and descriptors per client",
        examples: "loadtest idle -c 100,1000
  loadtest idle -c 1000 --fail-if 'rss>64KiB'",
        defaults: "clients=100,1000 duration=1s",
        without: "senders stalled size rate warm_up seed nodes",
        protocol: Protocol::Chat,
        round: chat::round,
    },
    Scenario {
        name: "churn",
        about: "Chat clients that connect, send one message and leave: what stays behind",
        examples: "loadtest churn -c 50 --rate 500 -d 10s
  loadtest churn --fail-if 'threads-left>0' --fail-if 'descriptors-left>0'",
        defaults: "clients=50 duration=3s rate=200",
        without: "senders stalled nodes",
        protocol: Protocol::Chat,
        round: churn::round,
    },
    Scenario {
        name: "slow",
        about: "Slow consumers: the chat without and with clients that never read",
        examples: "loadtest slow --fail-if 'pause>1s'
  loadtest slow --stalled 5 --server 'mine=./my_chat {addr}' --html slow.html",
        defaults: "clients=100 duration=3s senders=10 stalled=1 size=2048",
        without: "nodes",
        protocol: Protocol::Chat,
        round: chat::round,
    },
];

/// The scenario of that name, if there is one.
pub fn find(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}
