-- alice's Firefox: the formhistory.sqlite of Firefox 153, made up. Nothing in it is a credential.
PRAGMA page_size=512;
CREATE TABLE moz_formhistory(id INTEGER PRIMARY KEY, fieldname TEXT NOT NULL, value TEXT NOT NULL, timesUsed INTEGER, firstUsed INTEGER, lastUsed INTEGER, guid TEXT);
INSERT INTO moz_formhistory VALUES(1,'searchbar-history','what is an access_token',1,1794987000000000,1794987000000000,'Zx8Qw1Er5Ty2Ui7O');
INSERT INTO moz_formhistory VALUES(2,'email','alice@mail.example',2,1794987000000000,1794988800000000,'Pl4Mk9Nj3Bh6Vg1C');
INSERT INTO moz_formhistory VALUES(3,'postal_code','93701',1,1794987000000000,1794987000000000,'Az7Sx2Dc5Fv8Gb3H');
