//! Where the engine is, and which room of it this server is part of.

use std::fmt;
use std::io;
use std::str::FromStr;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};

/// The options of a room over several servers.
#[derive(Clone, Debug, clap::Args)]
pub struct Sharing {
    /// Share the room with other servers, through Valkey or Redis at redis://HOST:PORT. Several addresses,
    /// with commas between them: the first that accepts writes is used. A password, as in
    /// redis://USER:PASSWORD@HOST:PORT, belongs in the environment, because every user of a machine can
    /// see its command lines
    #[arg(
        long,
        value_name = "URL",
        env = "THREADLINE_ENGINE",
        hide_env_values = true
    )]
    pub engine: Option<Urls>,

    /// Which room to share: 1 to 32 letters, digits, dots, hyphens and underscores
    #[arg(long, value_name = "NAME", default_value = "lobby", value_parser = room, requires = "engine")]
    pub room: String,
}

impl Default for Sharing {
    fn default() -> Sharing {
        Sharing {
            engine: None,
            room: "lobby".to_owned(),
        }
    }
}

impl Sharing {
    /// The default room of the engine at this URL.
    #[cfg(feature = "lab")]
    pub fn at(url: &str) -> io::Result<Sharing> {
        Ok(Sharing {
            engine: Some(Urls(url.to_owned())),
            ..Sharing::default()
        })
    }

    /// Checks what else the command line asks for.
    ///
    /// # Errors
    /// One line that says what does not go together.
    pub fn check(&self, queue: usize, has_logouts: bool) -> Result<(), String> {
        let Some(urls) = &self.engine else {
            return Ok(());
        };
        if queue == 0 {
            let why = "a frozen room would seem dead to the others";
            return Err(format!("--queue 0 cannot be used with --engine: {why}"));
        }
        if !has_logouts {
            let why = "in the earlier stages nobody ever leaves the room";
            return Err(format!("--engine needs --stage timeout or beyond: {why}"));
        }
        urls.parse().map(drop)
    }
}

/// What `--engine` was given. It is checked later than other options, because clap shows what it refuses,
/// and this may hold a password.
#[derive(Clone)]
pub struct Urls(String);

impl fmt::Debug for Urls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Urls(..)")
    }
}

impl FromStr for Urls {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Urls, Self::Err> {
        Ok(Urls(text.to_owned()))
    }
}

impl Urls {
    /// The addresses, in their order.
    ///
    /// # Errors
    /// One line that says which of them is wrong, and how, without showing it.
    pub fn parse(&self) -> Result<Vec<ConnectionInfo>, String> {
        let wrong = |n: usize, why: &str| {
            let which = match self.0.contains(',') {
                true => format!(", address {}", n + 1),
                false => String::new(),
            };
            format!("--engine or THREADLINE_ENGINE{which}: {why}")
        };
        let addr = |(n, url): (usize, &str)| {
            let url = url.trim();
            if url.starts_with("rediss:") || url.starts_with("valkeys:") {
                let why = "TLS is not built in; use a tunnel, as docs/scaling.md shows";
                return Err(wrong(n, why));
            }
            let info = redis::parse_redis_url(url).map(IntoConnectionInfo::into_connection_info);
            let Some(Ok(info)) = info else {
                return Err(wrong(n, "expected redis://HOST:PORT"));
            };
            let tcp = info.tcp_settings().clone().set_nodelay(true);
            let redis = info.redis_settings().clone().set_skip_set_lib_name();
            Ok(info.set_tcp_settings(tcp).set_redis_settings(redis))
        };
        self.0.split(',').enumerate().map(addr).collect()
    }
}

/// An address to show: without a user and a password.
pub fn shown(addr: &ConnectionAddr) -> String {
    match addr {
        ConnectionAddr::Tcp(host, port) if host.contains(':') => format!("[{host}]:{port}"),
        addr => addr.to_string(),
    }
}

fn room(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    match (1..=32).contains(&text.len()) && text.bytes().all(allowed) {
        true => Ok(text.to_owned()),
        false => Err("expected 1 to 32 letters, digits, dots, hyphens and underscores".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<String>, String> {
        let infos = text.parse::<Urls>().unwrap().parse()?;
        Ok(infos.iter().map(|info| shown(info.addr())).collect())
    }

    #[test]
    fn several_addresses_are_separated_by_commas() {
        assert_eq!(parse("redis://a:1").unwrap(), ["a:1"]);
        assert_eq!(parse("redis://a").unwrap(), ["a:6379"]);
        assert_eq!(
            parse("redis://u:p@a:1, valkey://[::1]:2").unwrap(),
            ["a:1", "[::1]:2"]
        );
    }

    #[test]
    fn a_wrong_address_is_named_by_its_place_and_never_shown() {
        for wrong in [
            "",
            "a:1",
            "http://u:secret@a",
            "redis://u:secret@",
            "redis://u:secret@a:x",
            "redis://a:1,,redis://b",
            "redis://u:secret@a/secret",
            "rediss://u:secret@a",
            "redis://a:1,tcp://u:secret@a",
        ] {
            let err = parse(wrong).unwrap_err();
            assert!(err.starts_with("--engine"), "{wrong:?}: {err}");
            assert!(!err.contains("secret"), "{wrong:?}: {err}");
        }
        let err = parse("redis://a:1,x").unwrap_err();
        let expected = "--engine or THREADLINE_ENGINE, address 2: expected redis://HOST:PORT";
        assert_eq!(err, expected);
    }

    #[test]
    fn a_password_is_not_in_the_debug_output() {
        let urls: Urls = "redis://u:secret@a".parse().unwrap();
        assert!(!format!("{urls:?} {:?}", urls.parse()).contains("secret"));
    }

    #[test]
    fn rooms_have_plain_names() {
        for good in ["lobby", "a", "A.b_c-9", &"x".repeat(32)] {
            assert_eq!(room(good), Ok(good.to_owned()));
        }
        for bad in ["", "a b", "a{b}", "ä", "a:b", &"x".repeat(33)] {
            assert!(room(bad).is_err(), "{bad:?}");
        }
    }
}
