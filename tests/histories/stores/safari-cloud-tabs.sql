-- bob's Safari: CloudTabs.db, the tabs of his other devices, made up after files of macOS.
PRAGMA page_size=512;
CREATE TABLE cloud_tab_devices(device_uuid TEXT PRIMARY KEY, device_name TEXT);
CREATE TABLE cloud_tabs(tab_uuid TEXT PRIMARY KEY, device_uuid TEXT, position BLOB, title TEXT, url TEXT, is_showing_reader BOOL, is_pinned BOOL);
INSERT INTO cloud_tab_devices VALUES('5E1D','phone');
INSERT INTO cloud_tabs VALUES('A1','5E1D',x'00','News','https://news.example/',0,0);
INSERT INTO cloud_tabs VALUES('A2','5E1D',x'00','Your export','https://files.example/export?access_token=tW4nZk8RqV2xLm6YcJ9hBd3PfGs7Ea1U',0,0);
