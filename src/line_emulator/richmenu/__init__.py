"""Rich menus: made, given an image, shown to all or to one person, tapped, switched by alias."""
