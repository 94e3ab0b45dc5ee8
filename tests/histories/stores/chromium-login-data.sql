-- alice's Chrome: the Login Data of Chromium 156, made up. The password is encrypted under a key of the keyring (v11).
PRAGMA page_size=512;
CREATE TABLE logins(origin_url VARCHAR NOT NULL, action_url VARCHAR, username_element VARCHAR, username_value VARCHAR, password_element VARCHAR, password_value BLOB, submit_element VARCHAR, signon_realm VARCHAR NOT NULL, date_created INTEGER NOT NULL, blacklisted_by_user INTEGER NOT NULL, scheme INTEGER NOT NULL, icon_url VARCHAR, federation_url VARCHAR, id INTEGER PRIMARY KEY AUTOINCREMENT);
INSERT INTO logins VALUES('https://login.idp.example/login','https://login.idp.example/login','user','alice','password',x'763131000102030405060708090a0b0c0d0e0f','','https://login.idp.example/',13439639525017000,0,0,'','',1);
