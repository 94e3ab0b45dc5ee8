-- alice's Firefox: the cookies.sqlite of Firefox 153 (netwerk/cookie/CookiePersistentStorage.cpp), made up.
PRAGMA page_size=512;
CREATE TABLE moz_cookies(id INTEGER PRIMARY KEY, originAttributes TEXT NOT NULL DEFAULT '', name TEXT, value TEXT, host TEXT, path TEXT, expiry INTEGER, lastAccessed INTEGER, creationTime INTEGER, isSecure INTEGER, isHttpOnly INTEGER, inBrowserElement INTEGER DEFAULT 0, sameSite INTEGER DEFAULT 0, CONSTRAINT moz_uniqueid UNIQUE (name, host, path, originAttributes));
INSERT INTO moz_cookies VALUES(1,'','wiki_session','Kp7xWq2Zr9Lm4Tn8Vb3Yc6Hd1Fg5Js','wiki.example','/',1826524803,1794988803700000,1794988803600000,1,1,0,1);
INSERT INTO moz_cookies VALUES(2,'','connect.sid','s%3AqL3vXo8TzR1mWk5Yh2NcPb7Dg4FjSa9U.r0XeVt6Bn2Mq8Lw4Kz1Hy5Jd3Gf7Cs9Pa0Ru2Iv4Oe6T','reader.example','/',1826525720,1794989720500000,1794989720400000,1,1,0,1);
INSERT INTO moz_cookies VALUES(3,'','_pk_id.4.1fff','8c1f2a6d4e9b0357.1794987011.','.weather.example','/',1828000000,1794987011100000,1794987011100000,0,0,0,0);
INSERT INTO moz_cookies VALUES(4,'','lang','en','forum.example','/',1826500000,1794987182200000,1794987182200000,0,0,0,0);
