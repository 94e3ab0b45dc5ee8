//! Access logs of sites, logs of proxies, and HTTP archives.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::encode::rfc3339;
use crate::place::{File, World};
use crate::truth::{Message, Run, What};

type Lines<'a> = BTreeMap<File, Vec<(i64, usize, usize)>>;

/// Where a file lies, from the world's folder.
pub fn path(file: File, hosts: &[String]) -> String {
    match file {
        File::Profile(profile) => crate::history::path(profile),
        File::Capture(number) => format!("captures/ticket-{number}.har"),
        File::Proxy(number) => format!("proxies/proxy-{number}/access.log"),
        File::Site(number) => format!("sites/{}/access.log", hosts[number]),
    }
}

/// Writes all files but the histories.
pub fn write(dir: &Path, world: &World) -> std::io::Result<()> {
    let mut files: Lines = BTreeMap::new();
    for (number, (run, placed)) in world.runs.iter().zip(&world.placed).enumerate() {
        for &(file, index) in &placed.at {
            if !matches!(file, File::Profile(_)) {
                files
                    .entry(file)
                    .or_default()
                    .push((run.messages[index].at, number, index));
            }
        }
    }
    for (file, mut lines) in files {
        lines.sort_unstable();
        let messages = lines
            .iter()
            .map(|&(_, run, index)| (&world.runs[run], run, index));
        let text = match file {
            File::Capture(_) => capture(messages.collect(), &|run, index| {
                world.placed[run].at.contains(&(file, index))
            }),
            _ => messages
                .filter_map(|(run, _, index)| line(&run.messages[index], file))
                .fold(String::new(), |text, line| text + &line + "\n"),
        };
        let path = dir.join(path(file, &world.hosts));
        std::fs::create_dir_all(path.parent().expect("a folder"))?;
        std::fs::write(path, text)?;
    }
    Ok(())
}

/// One line: Squid's own format, or the combined one, with or without the host in front.
fn line(message: &Message, file: File) -> Option<String> {
    let (method, url, referer) = match &message.what {
        What::Visit { url, .. } => ("GET", url, "-"),
        What::Post { url, .. } => ("POST", url, "-"),
        What::Fetch { url, referer } => ("GET", url, referer.as_str()),
        What::Call { .. } => return None,
    };
    let whole = url.split('#').next().unwrap_or(url);
    let (host, path) = whole.split_once("://")?.1.split_once('/')?;
    if let File::Site(number) = file {
        let time = jiff::Timestamp::from_millisecond(message.at)
            .ok()?
            .strftime("%d/%b/%Y:%H:%M:%S +0000");
        let mut text = String::new();
        // The server of an application may serve it alone; an authorization server's log names the host.
        if number % 2 == 0 || !host.starts_with("app") {
            write!(text, "{host}:443 ").ok()?;
        }
        write!(text, r#"192.0.2.{} - - [{time}] "{method} /{path} HTTP/1.1" 200 512 "{referer}" "Mozilla/5.0""#, message.at % 200).ok()?;
        return Some(text);
    }
    let (seconds, millis) = (message.at / 1000, message.at % 1000);
    Some(format!(
        "{seconds}.{millis:03}     12 192.0.2.{} TCP_MISS/200 512 {method} {whole} - HIER_DIRECT/198.51.100.9 text/html",
        message.at % 200
    ))
}

fn capture(messages: Vec<(&Run, usize, usize)>, here: &dyn Fn(usize, usize) -> bool) -> String {
    let entries: Vec<Value> = messages
        .into_iter()
        .map(|(run, number, index)| entry(run, number, index, here))
        .collect();
    json!({"log": {"version": "1.2", "creator": {"name": "WebInspector", "version": "537.36"}, "pages": [], "entries": entries}}).to_string()
}

fn entry(run: &Run, number: usize, index: usize, here: &dyn Fn(usize, usize) -> bool) -> Value {
    let message = &run.messages[index];
    let mut headers = vec![pair("accept", "*/*")];
    let mut back = Vec::new();
    let (mut method, mut post, mut status, mut content) = (
        "GET",
        Value::Null,
        200,
        json!({"size": 0, "mimeType": "text/html"}),
    );
    let url = match &message.what {
        What::Visit {
            url,
            from,
            redirect,
        } => {
            // The fragment is in the `Location` before; a producer that has none keeps it in the URL.
            let before = *redirect && from.is_some_and(|from| here(number, from));
            if before {
                url.split('#').next().unwrap_or(url)
            } else {
                url
            }
        }
        What::Post { url, form, .. } => {
            method = "POST";
            post = json!({"mimeType": "application/x-www-form-urlencoded", "text": form});
            url
        }
        What::Call {
            url,
            headers: more,
            form,
            status: code,
            answer,
        } => {
            method = "POST";
            post = json!({"mimeType": "application/x-www-form-urlencoded", "text": form});
            headers.extend(more.iter().map(|(name, value)| pair(name, value)));
            status = *code;
            content =
                json!({"size": 0, "mimeType": "application/json", "text": answer.to_string()});
            url
        }
        What::Fetch { url, referer } => {
            headers.push(pair("referer", referer));
            url
        }
    };
    let next = run
        .messages
        .iter()
        .enumerate()
        .find_map(|(next, message)| match &message.what {
            What::Visit {
                url,
                from: Some(from),
                redirect: true,
            } if *from == index && here(number, next) => Some(url),
            _ => None,
        });
    if let Some(next) = next {
        status = 302;
        back.push(pair("location", next));
    }
    if let Some(cookie) = &message.cookie {
        back.push(pair(
            "set-cookie",
            &format!("SESSIONID={cookie}; Path=/; Secure; HttpOnly; SameSite=Lax"),
        ));
    }
    let mut request = json!({"method": method, "url": url, "httpVersion": "HTTP/2", "headers": headers, "queryString": [], "cookies": [], "headersSize": -1, "bodySize": 0});
    if !post.is_null() {
        request["postData"] = post;
    }
    json!({
        "startedDateTime": rfc3339(message.at), "time": 12.5, "request": request,
        "response": {"status": status, "statusText": "", "httpVersion": "HTTP/2", "headers": back, "cookies": [],
            "content": content, "redirectURL": next.map_or("", String::as_str), "headersSize": -1, "bodySize": -1},
        "cache": {}, "timings": {"send": 0.1, "wait": 12.0, "receive": 0.4},
    })
}

fn pair(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}
