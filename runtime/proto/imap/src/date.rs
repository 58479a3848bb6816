//! Days and times (RFC 3501 §9 date, date-time) without a clock or a time zone of our own.

use crate::cursor::{Bad, Cursor};

/// Days since 1970-01-01 of the proleptic Gregorian calendar.
pub(crate) fn days(year: i64, month: i64, day: i64) -> i64 {
    // The year begins in March, so that the leap day is its last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse of [`days`].
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// `date = date-text / DQUOTE date-text DQUOTE`, in days.
pub(crate) fn date(cursor: &mut Cursor<'_>) -> Result<i64, Bad> {
    let quoted = cursor.take(b'"');
    let days = date_text(cursor)?;
    if quoted {
        cursor.expect(b'"', WRONG)?;
    }
    Ok(days)
}

/// `date-text = date-day "-" date-month "-" date-year`
fn date_text(cursor: &mut Cursor<'_>) -> Result<i64, Bad> {
    let day = cursor.number()?;
    cursor.expect(b'-', WRONG)?;
    let month = cursor.while_octets(|b| b.is_ascii_alphabetic());
    let month = MONTHS.iter().position(|name| name.as_bytes().eq_ignore_ascii_case(month)).ok_or(WRONG)?;
    cursor.expect(b'-', WRONG)?;
    let year = cursor.number()?;
    if !(1..=31).contains(&day) || year > 9999 {
        return Err(WRONG);
    }
    Ok(days(i64::from(year), i64::try_from(month).map_err(|_| WRONG)? + 1, i64::from(day)))
}

/// `date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE`, in Unix seconds.
pub(crate) fn date_time(cursor: &mut Cursor<'_>) -> Result<i64, Bad> {
    cursor.expect(b'"', WRONG)?;
    cursor.take(b' ');
    let days = date_text(cursor)?;
    cursor.space()?;
    let mut seconds = 0;
    for (at, limit) in [24, 60, 61].into_iter().enumerate() {
        if at > 0 {
            cursor.expect(b':', WRONG)?;
        }
        let number = cursor.number()?;
        if number >= limit {
            return Err(WRONG);
        }
        seconds = seconds * 60 + i64::from(number);
    }
    cursor.space()?;
    let sign = match (cursor.take(b'+'), cursor.take(b'-')) {
        (true, false) => 1,
        (false, true) => -1,
        _ => return Err(WRONG),
    };
    let zone = i64::from(cursor.number()?);
    if zone >= 2400 {
        return Err(WRONG);
    }
    cursor.expect(b'"', WRONG)?;
    Ok(days * 86_400 + seconds - sign * (zone / 100 * 3600 + zone % 100 * 60))
}

/// A time as INTERNALDATE shows it, in UTC.
pub(crate) fn printed(seconds: i64) -> String {
    // Years that the grammar can show.
    let seconds = seconds.clamp(-62_135_596_800, 253_402_300_799);
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let time = seconds.rem_euclid(86_400);
    let name = usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at)).copied().unwrap_or("Jan");
    let (hours, minutes, seconds) = (time / 3600, time / 60 % 60, time % 60);
    format!("{day:2}-{name}-{year:04} {hours:02}:{minutes:02}:{seconds:02} +0000")
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WRONG: Bad = "a date is malformed";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted() {
        for (civil_day, count) in
            [((1970, 1, 1), 0), ((2000, 3, 1), 11_017), ((1969, 12, 31), -1), ((2026, 11, 22), 20_779)]
        {
            assert_eq!(days(civil_day.0, civil_day.1, civil_day.2), count);
            assert_eq!(civil(count), civil_day);
        }
        for count in -800_000..800_000 {
            let (year, month, day) = civil(count);
            assert_eq!(days(year, month, day), count);
        }
    }

    #[test]
    fn times_are_read_and_shown() {
        let check = |text: &str, seconds: Result<i64, Bad>| {
            assert_eq!(date_time(&mut Cursor::new(text.as_bytes())), seconds, "{text}");
        };
        check("\" 1-Jan-1970 01:00:00 +0100\"", Ok(0));
        check("\"17-Jul-1996 02:44:25 -0700\"", Ok(837_596_665));
        for bad in
            ["\"32-Jan-1970 01:00:00 +0100\"", "\"01-Jux-1970 01:00:00 +0100\"", "\"01-Jan-1970 25:00:00 +0100\"", "x"]
        {
            assert!(date_time(&mut Cursor::new(bad.as_bytes())).is_err(), "{bad}");
        }
        assert_eq!(printed(837_596_665), "17-Jul-1996 09:44:25 +0000");
        assert_eq!(printed(i64::MAX), "31-Dec-9999 23:59:59 +0000");
        assert_eq!(printed(0), " 1-Jan-1970 00:00:00 +0000");
    }
}
