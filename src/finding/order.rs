//! The order in which findings are reported. Must not know what is in them.

use std::cmp::Ordering;
use std::path::Path;
use std::sync::Arc;

use super::Finding;

/// By path, line, column, rule and words.
pub fn order(a: &Finding, b: &Finding) -> Ordering {
    let (here, there) = (&a.location, &b.location);
    // Paths take long to compare, and neighbours have the same one more often than not.
    let paths = match Arc::ptr_eq(&here.path, &there.path) {
        true => Ordering::Equal,
        false => by_parts(&here.path, &there.path),
    };
    paths
        .then_with(|| here.line.cmp(&there.line))
        .then_with(|| here.column.cmp(&there.column))
        .then_with(|| a.rule.cmp(b.rule))
        .then_with(|| a.message.cmp(&b.message))
}

/// Bytes that are compared at once.
const STRETCH: usize = 16;

/// As paths compare: part by part. Where the first difference lies within a part of both, it
/// decides; a `/` or a `.` there may be no part of a name at all.
fn by_parts(a: &Path, b: &Path) -> Ordering {
    let (one, other) = (
        a.as_os_str().as_encoded_bytes(),
        b.as_os_str().as_encoded_bytes(),
    );
    // Long paths of one folder begin alike: whole stretches are compared at once.
    let stretches = one.chunks_exact(STRETCH).zip(other.chunks_exact(STRETCH));
    let alike = STRETCH * stretches.take_while(|(one, other)| one == other).count();
    let mut pairs = one.iter().zip(other).skip(alike);
    match pairs.find(|(one, other)| one != other) {
        Some((one, other)) if ![one, other].iter().any(|it| matches!(it, b'/' | b'.')) => {
            one.cmp(other)
        }
        _ => a.cmp(b),
    }
}

/// Sorts by [`order`]; what is alike stays as it stands. A finding is large: their numbers are
/// sorted, so that no second place is needed for all of them.
pub fn sort(findings: &mut [Finding]) {
    let mut places: Vec<usize> = (0..findings.len()).collect();
    places.sort_by(|a, b| order(&findings[*a], &findings[*b]));
    arrange(findings, places);
}

/// Puts at each place what stands at the place that `from` names for it, where each is named once.
fn arrange<T>(list: &mut [T], mut from: Vec<usize>) {
    for start in 0..list.len() {
        // Each place is settled once: what is displaced goes on to the place that waits for it.
        let mut place = start;
        while from[place] != start {
            let next = from[place];
            from[place] = place;
            list.swap(place, next);
            place = next;
        }
        from[place] = place;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_compare_as_paths_do() {
        let mut all = vec![String::new()];
        for length in 0..5 {
            let longest: Vec<String> = all
                .iter()
                .filter(|it| it.len() == length)
                .cloned()
                .collect();
            let longer = longest
                .iter()
                .flat_map(|it| ["/", ".", "-", "a"].map(|end| format!("{it}{end}")));
            all.extend(longer);
        }
        for (a, b) in all.iter().flat_map(|a| all.iter().map(move |b| (a, b))) {
            let (a, b) = (Path::new(a), Path::new(b));
            assert_eq!(by_parts(a, b), a.cmp(b), "{a:?} {b:?}");
        }
    }

    #[test]
    fn everything_goes_to_its_place() {
        // Every order of six.
        let mut orders = vec![Vec::new()];
        for count in 0..6 {
            let longer = orders.iter().flat_map(|order: &Vec<usize>| {
                (0..=count).map(|at| {
                    let mut order = order.clone();
                    order.insert(at, count);
                    order
                })
            });
            orders = longer.collect();
        }
        assert_eq!(orders.len(), 720);
        for order in orders {
            let mut list = ['a', 'b', 'c', 'd', 'e', 'f'];
            let expected: Vec<char> = order.iter().map(|at| list[*at]).collect();
            arrange(&mut list, order);
            assert_eq!(list[..], expected);
        }
    }
}
