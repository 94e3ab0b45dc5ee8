-- carol's GNOME Web: the cookies.sqlite of libsoup 3 (soup-cookie-jar-db.c), made up.
PRAGMA page_size=512;
CREATE TABLE moz_cookies(id INTEGER PRIMARY KEY, name TEXT, value TEXT, host TEXT, path TEXT, expiry INTEGER, lastAccessed INTEGER, isSecure INTEGER, isHttpOnly INTEGER, sameSite INTEGER);
INSERT INTO moz_cookies VALUES(1,'JSESSIONID','4D7A19C0E82B6F53A1904CD7E6B83F25','calendar.example','/',1810000000,NULL,1,1,1);
INSERT INTO moz_cookies VALUES(2,'consent','accepted','calendar.example','/',1810000000,NULL,0,0,0);
