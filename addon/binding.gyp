{
  "targets": [
    {
      "target_name": "milt",
      "sources": ["addon.cc"],
      "include_dirs": [
        "..",
        "<!(node -p \"require('node-addon-api').include_dir\")"
      ],
      "defines": [
        "NAPI_VERSION=8",
        "NAPI_DISABLE_CPP_EXCEPTIONS",
        "NODE_ADDON_API_DISABLE_DEPRECATED",
        "NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED"
      ],
      "cflags": ["-Wall", "-Wextra", "-Wno-unused-parameter",
        "-fvisibility=hidden"],
      "libraries": ["<!@(make -s -C .. addon-libs)"]
    }
  ]
}
