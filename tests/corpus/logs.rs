//! Access and proxy logs, each line with the escaping of the server that writes it.

use std::io::Write;
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::prng::Rng;
use crate::shapes::{Carrier, Event, Message};
use crate::truth::{Placed, Spot};

/// 2026-09-01T00:00:00Z, seconds since 1970.
const START: i64 = 1_788_220_800;
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
/// HAProxy cuts a record at 1024 bytes.
const HAPROXY_ROOM: usize = 700;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Format {
    Nginx,
    Apache,
    ApacheVhost,
    Common,
    Squid,
    Haproxy,
    Iis,
    Alb,
    CloudFront,
    CaddyJson,
    NginxJson,
    Envoy,
    TraefikClf,
    ZeekTsv,
    Logpush,
    Oauth2Proxy,
    S3,
    Syslog,
    Cri,
    Docker,
    Compose,
    App,
    Raw,
}

#[derive(Clone, Copy)]
enum Packing {
    Plain,
    Gz,
    Zst,
    Xz,
    Bz2,
}

const FILES: &[(Format, Packing, &str)] = &[
    (Format::Nginx, Packing::Plain, "var/log/nginx/access.log"),
    (Format::Nginx, Packing::Gz, "var/log/nginx/access.log.2.gz"),
    (Format::Apache, Packing::Plain, "var/log/apache2/access.log"),
    (
        Format::Apache,
        Packing::Xz,
        "var/log/apache2/access.log-20261001.xz",
    ),
    (
        Format::ApacheVhost,
        Packing::Bz2,
        "var/log/apache2/other_vhosts_access.log.1.bz2",
    ),
    (
        Format::Common,
        Packing::Plain,
        "var/log/httpd/access_log-20261001",
    ),
    (Format::Squid, Packing::Plain, "var/log/squid/access.log"),
    (Format::Haproxy, Packing::Plain, "var/log/haproxy.log"),
    (
        Format::Iis,
        Packing::Plain,
        "inetpub/logs/LogFiles/W3SVC1/u_ex261101.log",
    ),
    (
        Format::Alb,
        Packing::Gz,
        "aws/123456789012_elasticloadbalancing_eu-central-1_app.log.gz",
    ),
    (
        Format::CloudFront,
        Packing::Gz,
        "aws/E2ABCDEFGHIJKL.2026-11-01-15.d111111a.gz",
    ),
    (
        Format::CaddyJson,
        Packing::Plain,
        "var/log/caddy/access.log",
    ),
    (
        Format::NginxJson,
        Packing::Zst,
        "var/log/nginx/json.log-20261101.zst",
    ),
    (Format::Envoy, Packing::Plain, "var/log/envoy/access.log"),
    (
        Format::TraefikClf,
        Packing::Plain,
        "var/log/traefik/access.log",
    ),
    (Format::ZeekTsv, Packing::Plain, "opt/zeek/logs/http.log"),
    (
        Format::Logpush,
        Packing::Gz,
        "cloudflare/20261101T000000Z_20261101T001000Z_abc.log.gz",
    ),
    (
        Format::Oauth2Proxy,
        Packing::Plain,
        "var/log/oauth2-proxy.log",
    ),
    (
        Format::S3,
        Packing::Plain,
        "aws/s3/2026-11-01-00-10-02-ABCDEF0123456789",
    ),
    (Format::Syslog, Packing::Plain, "var/log/syslog.1"),
    (
        Format::Cri,
        Packing::Plain,
        "var/log/pods/web_0/nginx/0.log",
    ),
    (
        Format::Docker,
        Packing::Plain,
        "var/lib/docker/containers/abc/abc-json.log",
    ),
    (Format::Compose, Packing::Plain, "srv/compose.log"),
    (Format::App, Packing::Plain, "srv/app/app.log"),
    (Format::Raw, Packing::Plain, "srv/app/mixed.log"),
];

/// A line's facts, before a format writes them.
struct Line {
    time: Timestamp,
    ip: String,
    method: &'static str,
    /// Scheme, user information, host.
    scheme: String,
    host: String,
    /// Path with query, and with the fragment where the server saw one.
    target: String,
    referer: Option<String>,
    location: Option<String>,
    /// The URL as a program would print it.
    whole: String,
    status: u16,
}

/// Writes the events into log files under `dir`, each event into one.
pub fn write(dir: &Path, events: &[Event], rng: &mut Rng) -> std::io::Result<Vec<Placed>> {
    let mut shares: Vec<Vec<&Event>> = vec![Vec::new(); FILES.len()];
    for event in events {
        loop {
            let choice = rng.below(FILES.len());
            if event
                .messages
                .iter()
                .all(|message| fits(FILES[choice].0, message))
            {
                shares[choice].push(event);
                break;
            }
        }
    }
    let mut placed = Vec::new();
    for ((format, packing, name), share) in FILES.iter().zip(&shares) {
        let text = file(*format, name, share, rng, &mut placed);
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(dir))?;
        std::fs::write(path, packed(*packing, text.as_bytes())?)?;
    }
    Ok(placed)
}

fn fits(format: Format, message: &Message) -> bool {
    if message.line.is_some() {
        return format == Format::Raw;
    }
    let fragment = message.url.contains('#');
    let json = matches!(format, Format::NginxJson | Format::CaddyJson);
    let referer = !matches!(
        format,
        Format::Common
            | Format::Squid
            | Format::Haproxy
            | Format::Alb
            | Format::Envoy
            | Format::Oauth2Proxy
    );
    match format {
        Format::Raw => false,
        Format::App => matches!(
            message.carrier,
            Carrier::Any | Carrier::Absolute | Carrier::Host
        ),
        _ if message.carrier == Carrier::Absolute => false,
        _ if message.carrier == Carrier::Host => matches!(format, Format::Squid | Format::Alb),
        _ if message.carrier == Carrier::Location => json,
        _ if message.carrier == Carrier::Referer => referer,
        Format::Haproxy if message.url.len() > HAPROXY_ROOM => false,
        // A fragment is in a request line only when a broken client sent it (nginx and Caddy log it).
        _ if fragment => json || matches!(format, Format::Nginx),
        Format::S3 => message.url.contains("amazonaws"),
        Format::Iis | Format::CloudFront | Format::ZeekTsv => {
            !message.url.contains([' ', '\t', '"'])
        }
        Format::Squid => !message.url.contains(' '),
        _ => true,
    }
}

fn file(
    format: Format,
    name: &str,
    events: &[&Event],
    rng: &mut Rng,
    placed: &mut Vec<Placed>,
) -> String {
    let mut text = preamble(format);
    let mut clock = START;
    for event in events {
        let ip = format!("203.0.113.{}", rng.between(1, 254));
        for message in &event.messages {
            clock += i64::try_from(rng.between(1, 4)).unwrap_or(1);
            let number = text.bytes().filter(|&byte| byte == b'\n').count() as u64 + 1;
            if let Some(raw) = &message.line {
                text.push_str(raw);
            } else {
                let line = facts(format, message, clock, &ip, rng);
                text.push_str(&written(format, &line, rng));
            }
            text.push('\n');
            placed.push(Placed::new(name, event, message, vec![Spot::Line(number)]));
        }
        clock += i64::try_from(rng.between(900, 4000)).unwrap_or(900);
    }
    text
}

fn facts(format: Format, message: &Message, clock: i64, ip: &str, rng: &mut Rng) -> Line {
    let (scheme, rest) = message
        .url
        .split_once("://")
        .unwrap_or(("https", &message.url));
    let cut = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(cut);
    let host = authority.rsplit('@').next().unwrap_or(authority).to_owned();
    let target = if target.starts_with('/') {
        target.to_owned()
    } else {
        format!("/{target}")
    };
    let mut line = Line {
        time: Timestamp::from_second(clock).unwrap_or_default(),
        ip: ip.to_owned(),
        method: "GET",
        scheme: scheme.to_owned(),
        host,
        target,
        referer: None,
        location: None,
        whole: message.url.clone(),
        status: 200,
    };
    let fragment = message.url.contains('#');
    let json = matches!(format, Format::NginxJson | Format::CaddyJson);
    let elsewhere = match message.carrier {
        Carrier::Referer => Carrier::Referer,
        Carrier::Location => Carrier::Location,
        Carrier::Any if fragment && json => Carrier::Location,
        Carrier::Any if !fragment && referers(format) && rng.one_in(4) => Carrier::Referer,
        _ => Carrier::Request,
    };
    match elsewhere {
        Carrier::Referer => {
            line.referer = message.url.split('#').next().map(str::to_owned);
            "/assets/app.js".clone_into(&mut line.target);
            "static.example.net".clone_into(&mut line.host);
        }
        Carrier::Location => {
            line.location = Some(message.url.clone());
            "/resume".clone_into(&mut line.target);
            line.status = 302;
        }
        _ => {}
    }
    line
}

fn referers(format: Format) -> bool {
    !matches!(
        format,
        Format::Common
            | Format::Squid
            | Format::Haproxy
            | Format::Alb
            | Format::Envoy
            | Format::Oauth2Proxy
            | Format::App
            | Format::S3
    )
}

fn preamble(format: Format) -> String {
    match format {
        Format::Iis => "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2026-09-01 00:00:00\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\n".to_owned(),
        Format::CloudFront => "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type\n".to_owned(),
        Format::ZeekTsv => "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\thttp\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tmethod\thost\turi\treferrer\tversion\tuser_agent\tstatus_code\n#types\ttime\tstring\taddr\tport\taddr\tport\tstring\tstring\tstring\tstring\tstring\tstring\tcount\n".to_owned(),
        _ => String::new(),
    }
}

fn written(format: Format, line: &Line, rng: &mut Rng) -> String {
    let clf = stamp(line, "%d/%b/%Y:%H:%M:%S +0000");
    let referer = line.referer.as_deref().unwrap_or("-");
    let (stem, query) = line.target.split_once('?').unwrap_or((&line.target, "-"));
    let Line {
        ip,
        method,
        scheme,
        host,
        target,
        status,
        whole,
        ..
    } = line;
    match format {
        Format::Nginx => format!("{ip} - - [{clf}] \"{method} {} HTTP/1.1\" {status} 612 \"{}\" \"{AGENT}\"", nginx(target), nginx(referer)),
        Format::Apache => format!("{ip} - - [{clf}] \"{method} {} HTTP/1.1\" {status} 5120 \"{}\" \"{AGENT}\"", apache(target), apache(referer)),
        Format::ApacheVhost => format!("{host}:443 {ip} - - [{clf}] \"{method} {} HTTP/1.1\" {status} 5120 \"{}\" \"{AGENT}\"", apache(target), apache(referer)),
        Format::Common => format!("{ip} - - [{clf}] \"{method} {} HTTP/1.0\" {status} 2326", apache(target)),
        Format::Squid => format!("{}.{:03}    115 {ip} TCP_MISS/{status} 3412 {method} {scheme}://{host}{target} - HIER_DIRECT/198.51.100.7 text/html", line.time.as_second(), rng.below(1000)),
        Format::Haproxy => format!("{} lb1 haproxy[1423]: {ip}:51612 [{}.127] https~ app/web1 10/0/30/69/109 {status} 2750 - - ---- 1/1/1/1/0 0/0 \"{method} {} HTTP/1.1\"", stamp(line, "%b %e %H:%M:%S"), stamp(line, "%d/%b/%Y:%H:%M:%S"), target.replace('"', "#22")),
        Format::Iis => format!("{} 10.0.0.5 {method} {stem} {query} 443 - {ip} {} {referer} {status} 0 0 31", stamp(line, "%F %T"), AGENT.replace(' ', "+")),
        Format::Alb => format!("h2 {}.123456Z app/web/50dc6c495c0c9188 {ip}:2817 10.0.0.66:9999 0.000 0.048 0.000 {status} {status} 257 672 \"{method} https://{host}:443{target} HTTP/2.0\" \"{AGENT}\" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/73e2d6bc24d8a067 \"Root=1-58337327-72bd00b0343d75b906739c42\" \"{host}\" \"session-reused\" 1 {}.075000Z \"forward\" \"-\" \"-\" \"10.0.0.66:9999\" \"{status}\" \"-\" \"-\"", stamp(line, "%FT%T"), stamp(line, "%FT%T")),
        Format::CloudFront => format!(
            "{}\tFRA56-P4\t2390\t{ip}\t{method}\td111111abcdef8.cloudfront.net\t{}\t{status}\t{}\t{}\t{}\t-\tHit",
            stamp(line, "%F\t%T"), cloudfront(stem), cloudfront(referer), cloudfront(AGENT), cloudfront(query)
        ),
        Format::Envoy => format!("[{}.310Z] \"{method} {} HTTP/2\" {status} - 0 154 9 8 \"{ip}\" \"{AGENT}\" \"cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2\" \"{host}\" \"10.1.2.3:8080\"", stamp(line, "%FT%T"), target.replace('"', "%22")),
        Format::TraefikClf => format!("{ip} - - [{clf}] \"{method} {} HTTP/2.0\" {status} 1024 \"{}\" \"{AGENT}\" 42 \"web@docker\" \"http://10.0.0.9:80\" 12ms", target.replace('"', "\\\""), referer.replace('"', "\\\"")),
        Format::ZeekTsv => format!("{}.{:06}\tC{}\t{ip}\t54321\t198.51.100.9\t80\t{method}\t{host}\t{target}\t{referer}\t1.1\t{AGENT}\t{status}", line.time.as_second(), rng.below(1_000_000), rng.text("abcdefghijkABCDEFGH123", 17)),
        Format::Oauth2Proxy => format!("{ip} - {} - - [{}] {host} {method} - {:?} HTTP/1.1 \"{AGENT}\" {status} 0 0.015", "5f1b6a0e-6c0e-4f5b-8f6e-0f5a6c1d2e3f", stamp(line, "%Y/%m/%d %H:%M:%S"), target),
        Format::S3 => format!("79a59df900b949e55d96a1e698fbaced bucket [{clf}] {ip} - {} REST.GET.OBJECT {} \"{method} {} HTTP/1.1\" {status} - 2662992 2662992 70 10 \"{referer}\" \"{AGENT}\" - abc= SigV4 ECDHE-RSA-AES128-GCM-SHA256 QueryString {host} TLSv1.2", rng.text("ABCDEF0123456789", 16), stem.trim_start_matches('/'), target),
        Format::App => format!("{}.204Z INFO  [worker-3] http.client - fetch GET {whole} -> {status} in 81ms", stamp(line, "%FT%T")),
        Format::CaddyJson | Format::NginxJson | Format::Logpush => json(format, line),
        Format::Syslog => format!("{} web1 nginx[811]: {}", stamp(line, "%b %e %H:%M:%S"), written(Format::Nginx, line, rng)),
        Format::Cri => format!("{}.123456789Z stdout F {}", stamp(line, "%FT%T"), written(Format::Nginx, line, rng)),
        Format::Docker => serde_json::json!({"log": format!("{}\n", written(Format::Nginx, line, rng)), "stream": "stdout", "time": format!("{}.123456789Z", stamp(line, "%FT%T"))}).to_string(),
        Format::Compose => format!("web-1  | {}", written(Format::Apache, line, rng)),
        Format::Raw => String::new(),
    }
}

fn json(format: Format, line: &Line) -> String {
    let Line {
        ip,
        method,
        host,
        target,
        status,
        ..
    } = line;
    let seconds = line.time.as_second();
    match format {
        Format::CaddyJson => {
            let mut headers = serde_json::json!({"User-Agent": [AGENT]});
            if let Some(referer) = &line.referer {
                headers["Referer"] = serde_json::json!([referer]);
            }
            let mut response = serde_json::json!({"Server": ["Caddy"]});
            if let Some(location) = &line.location {
                response["Location"] = serde_json::json!([location]);
            }
            serde_json::json!({
                "level": "info", "ts": seconds, "logger": "http.log.access", "msg": "handled request",
                "request": {"remote_ip": ip, "proto": "HTTP/2.0", "method": method, "host": host, "uri": target, "headers": headers},
                "duration": 0.004, "size": 12, "status": status, "resp_headers": response,
            })
        }
        Format::Logpush => serde_json::json!({
            "ClientIP": ip, "ClientRequestHost": host, "ClientRequestMethod": method, "ClientRequestURI": target,
            "ClientRequestReferer": line.referer.clone().unwrap_or_default(), "ClientRequestUserAgent": AGENT,
            "EdgeResponseStatus": status, "EdgeStartTimestamp": seconds * 1_000_000_000, "RayID": "8a1b2c3d4e5f6071",
        }),
        _ => serde_json::json!({
            "time": stamp(line, "%FT%T+00:00"), "remote_addr": ip, "host": host, "request": format!("{method} {target} HTTP/2.0"),
            "status": status, "http_referer": line.referer.clone().unwrap_or_default(), "http_user_agent": AGENT,
            "sent_http_location": line.location.clone().unwrap_or_default(),
        }),
    }
    .to_string()
}

fn stamp(line: &Line, format: &str) -> String {
    line.time
        .to_zoned(TimeZone::UTC)
        .strftime(format)
        .to_string()
}

/// `ngx_http_log_escape`: quotes, backslashes, controls and bytes from 0x80 on as `\xHH`.
fn nginx(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'"' | b'\\' | 0..0x20 | 0x7f.. => format!("\\x{byte:02X}"),
        _ => char::from(byte).to_string(),
    };
    text.bytes().map(escape).collect()
}

/// `ap_escape_logitem`.
fn apache(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'"' => "\\\"".to_owned(),
        b'\\' => "\\\\".to_owned(),
        0..0x20 | 0x7f.. => format!("\\x{byte:02x}"),
        _ => char::from(byte).to_string(),
    };
    text.bytes().map(escape).collect()
}

/// Field values are percent-encoded on top of the URL's own encoding (`CloudFront` standard logs).
fn cloudfront(text: &str) -> String {
    let escape = |byte: u8| match byte {
        0..=32
        | 127..
        | b'#'
        | b'%'
        | b'<'
        | b'>'
        | b'"'
        | b'{'
        | b'}'
        | b'|'
        | b'\\'
        | b'^'
        | b'~'
        | b'['
        | b']'
        | b'`'
        | b'\'' => {
            format!("%{byte:02X}")
        }
        _ => char::from(byte).to_string(),
    };
    text.bytes().map(escape).collect()
}

fn packed(packing: Packing, text: &[u8]) -> std::io::Result<Vec<u8>> {
    match packing {
        Packing::Plain => Ok(text.to_vec()),
        Packing::Gz => {
            // Two members, as when two rotated files were joined.
            let (left, right) = text.split_at(text.len() / 2);
            let mut out = Vec::new();
            for part in [left, right] {
                let mut encoder =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(part)?;
                out.extend(encoder.finish()?);
            }
            Ok(out)
        }
        Packing::Zst => zstd::encode_all(text, 3),
        Packing::Xz => Ok(xz(text)),
        Packing::Bz2 => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
            encoder.write_all(text)?;
            encoder.finish()
        }
    }
}

/// An `.xz` stream of one block whose LZMA2 chunks are stored, so that no encoder is needed.
fn xz(text: &[u8]) -> Vec<u8> {
    let flags = [0, 1];
    let mut out = b"\xfd7zXZ\0".to_vec();
    out.extend(flags);
    out.extend(crc(&flags));
    let block = out.len();
    let head = [2, 0, 0x21, 1, 0x16, 0, 0, 0];
    out.extend(head);
    out.extend(crc(&head));
    for (index, chunk) in text.chunks(0x1_0000).enumerate() {
        out.push(if index == 0 { 1 } else { 2 });
        out.extend(((chunk.len() - 1) as u16).to_be_bytes());
        out.extend(chunk);
    }
    out.push(0);
    let unpadded = out.len() - block + 4;
    out.resize(out.len().next_multiple_of(4), 0);
    out.extend(crc(text));
    let mut index = vec![0, 1];
    for mut number in [unpadded, text.len()] {
        while number > 0x7f {
            index.push(number as u8 | 0x80);
            number >>= 7;
        }
        index.push(number as u8);
    }
    index.resize(index.len().next_multiple_of(4), 0);
    let mut tail = ((index.len() / 4) as u32).to_le_bytes().to_vec();
    tail.extend(flags);
    out.extend(&index);
    out.extend(crc(&index));
    out.extend(crc(&tail));
    out.extend(&tail);
    out.extend(b"YZ");
    out
}

fn crc(bytes: &[u8]) -> [u8; 4] {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum().to_le_bytes()
}
