//! Every route of the management API, as data: what is not in it is refused here, in one place, and a test holds it and
//! `docs/openapi/` together.

use super::passing::PASSES;
use super::problem::Problem;

/// Paths behind `/admin/`, and the methods that they answer; [`PASSES`] has more. `:name` stands for any segment.
const ROUTES: &[(&str, &str)] = &[
    ("", "GET"),
    ("clients", "GET"),
    ("audit", "GET"),
    ("doctor", "GET"),
    ("token", "GET"),
    ("token/refresh", "POST"),
    ("jssdk/signature", "POST"),
    ("rules", "GET POST"),
    ("rules/order", "GET PUT"),
    ("rules/test", "POST"),
    ("rules/import", "POST"),
    ("rules/examples/:name", "POST"),
    ("rules/:id", "GET PUT DELETE"),
    ("welcome", "GET PUT DELETE"),
    ("mass", "GET POST"),
    ("mass/speed", "GET PUT"),
    ("mass/:id", "GET PUT DELETE"),
    ("mass/:id/check", "POST"),
    ("mass/:id/preview", "POST"),
    ("mass/:id/confirm", "POST"),
    ("mass/:id/send", "POST"),
    ("mass/:id/stop", "POST"),
    ("users", "GET"),
    ("users/sync", "POST"),
    ("users/:openid", "GET PATCH"),
    ("menu", "GET PUT DELETE"),
    ("menu/validate", "POST"),
    ("menu/diff", "POST"),
    ("menu/import", "POST"),
    ("menu/history", "GET"),
    ("menu/history/:n", "GET"),
    ("menu/history/:n/rollback", "POST"),
    ("menu/conditional", "GET POST"),
    ("menu/conditional/match", "POST"),
    ("menu/conditional/:menuid", "DELETE"),
    ("media", "GET POST"),
    ("media/:media_id", "GET"),
    ("material", "POST"),
    ("material/:media_id", "GET"),
    ("articles/images", "POST"),
];

/// Segments of a path, by the names that they stand for.
pub type Bound<'a> = Vec<(&'static str, &'a str)>;

/// Every route: the pattern of its path, and the methods that it answers.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    ROUTES.iter().copied().chain(PASSES.iter().map(|pass| (pass.pattern, pass.method)))
}

/// The pattern that a path is of, and the segments that stand for names. Of several patterns it is the one with the
/// fewest names, as OpenAPI has it.
/// <https://spec.openapis.org/oas/v3.1.1.html#path-templating-matching>
pub fn find<'a>(method: &str, segments: &[&'a str]) -> Result<(&'static str, Bound<'a>), Problem> {
    let fitting =
        || all().filter_map(|(pattern, methods)| Some((pattern, methods, bind(pattern, segments)?)));
    let fewest = fitting().map(|(.., bound)| bound.len()).min();
    let mut allowed = Vec::new();
    for (pattern, methods, bound) in fitting().filter(|(.., bound)| Some(bound.len()) == fewest) {
        if methods.split(' ').any(|known| known == method) {
            return Ok((pattern, bound));
        }
        allowed.extend(methods.split(' '));
    }
    if allowed.is_empty() {
        return Err(Problem::not_found("route"));
    }
    if allowed.contains(&"GET") {
        allowed.push("HEAD");
    }
    Err(Problem::method_not_allowed(&allowed.join(", ")))
}

fn bind<'a>(pattern: &'static str, segments: &[&'a str]) -> Option<Bound<'a>> {
    let mut bound = Vec::new();
    let mut rest = segments.iter();
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let segment = *rest.next()?;
        match part.strip_prefix(':') {
            Some(name) => bound.push((name, segment)),
            None if part == segment => {}
            None => return None,
        }
    }
    rest.next().is_none().then_some(bound)
}
